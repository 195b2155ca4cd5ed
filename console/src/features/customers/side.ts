/** One of two customers as the merge dialog shows it, field by field. */
import type { Belongings, FieldSpec, ProfileView } from "@/api/cases";
import { belongings, profile, type Secret } from "@/api/customers";
import { customer } from "@/api/people";
import type { CustomerView } from "@/api/types";

export interface Side {
  customer: CustomerView;
  file: ProfileView;
  has: Belongings;
}
/** key: as the server names it. label: null for a field that an administrator defined. */
export interface MergeField {
  key: string;
  label: "name" | "institution" | Secret | null;
  title: string;
}
const OWN = ["name", "institution", "phone", "email", "id_number"] as const;

export async function sideOf(id: string): Promise<Side> {
  const [who, file, has] = await Promise.all([customer(id), profile(id), belongings(id)]);
  return { customer: who, file, has };
}

export function fieldsOf(specs: readonly FieldSpec[]): MergeField[] {
  return [
    ...OWN.map((key) => ({ key, label: key, title: "" })),
    ...specs.map((spec) => ({ key: `custom.${spec.key}`, label: null, title: spec.title })),
  ];
}

export function valueOf(side: Side, key: string): string {
  if (key === "name") return side.customer.name;
  if (key === "institution") return side.customer.institution_name;
  if (key.startsWith("custom.")) return String(side.file.custom[key.slice("custom.".length)] ?? "");
  return side.file.masked[key as Secret] ?? "";
}

/** Whether somebody has to choose: both have a value and they differ. */
export const isOpenQuestion = (one: Side, other: Side, key: string): boolean => {
  const [mine, theirs] = [valueOf(one, key), valueOf(other, key)];
  return mine !== "" && theirs !== "" && mine !== theirs;
};
