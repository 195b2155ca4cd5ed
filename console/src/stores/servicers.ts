import { defineStore } from "pinia";
import { computed, shallowRef } from "vue";

import * as api from "@/api/people";
import type { Presence, ServicerView } from "@/api/types";
import { refetched, type World } from "@/events/apply";

export const useServicers = defineStore("servicers", () => {
  const rows = shallowRef<World["servicers"]>({});
  const list = computed(() => Object.values(rows.value).sort((a, b) => a.name.localeCompare(b.name, "zh-CN")));

  const put = (servicer: ServicerView): void => {
    rows.value = { ...rows.value, [servicer.id]: servicer };
  };

  async function refresh(): Promise<void> {
    const before = rows.value;
    const page = await api.servicers();
    rows.value = refetched(page.items, before, rows.value, (all, row) => ({ ...all, [row.id]: row }));
  }

  async function setPresence(presence: Presence, keepsSessions?: boolean): Promise<void> {
    put(await api.setPresence(presence, keepsSessions));
  }

  return { rows, list, put, refresh, setPresence };
});
