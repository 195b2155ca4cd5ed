import { defineStore } from "pinia";
import { shallowRef } from "vue";

import * as api from "@/api/people";
import type { CustomerView } from "@/api/types";
import type { World } from "@/events/apply";

export type CustomerChange = Partial<Pick<CustomerView, "name" | "note" | "tags" | "institution_id">>;

export const useCustomers = defineStore("customers", () => {
  const rows = shallowRef<World["customers"]>({});

  const put = (customer: CustomerView): void => {
    rows.value = { ...rows.value, [customer.id]: customer };
  };

  async function fetchOne(id: string): Promise<void> {
    put(await api.customer(id));
  }

  async function change(customer: CustomerView, by: CustomerChange): Promise<void> {
    const tags = by.tags ? [...by.tags] : undefined;
    put(await api.changeCustomer(customer.id, { ...by, tags, version: customer.version ?? 1 }));
  }

  return { rows, put, fetchOne, change };
});
