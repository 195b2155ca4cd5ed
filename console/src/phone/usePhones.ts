/** Which phones lie on the table, kept in the page's address so that a reload shows the same. */
import { ref, watch } from "vue";

export interface Phone {
  kind: "customer" | "servicer";
  id: string;
  /** The account that is open on a customer's phone. */
  kfid: string;
}

export function parse(hash: string): Phone[] {
  return hash
    .replace(/^#/, "")
    .split(",")
    .filter(Boolean)
    .map((part) => {
      const [kind = "", id = "", kfid = ""] = part.split(":");
      return { kind: kind === "s" ? "servicer" : "customer", id, kfid };
    });
}

export function format(phones: readonly Phone[]): string {
  const parts = phones.map(({ kind, id, kfid }) => (kind === "servicer" ? `s:${id}` : `c:${id}${kfid ? `:${kfid}` : ""}`));
  return `#${parts.join(",")}`;
}

export function usePhones() {
  const phones = ref<Phone[]>(parse(location.hash));
  watch(phones, (now) => history.replaceState(null, "", format(now)), { deep: true });

  function add(kind: Phone["kind"], id: string): void {
    if (!phones.value.some((row) => row.kind === kind && row.id === id)) phones.value.push({ kind, id, kfid: "" });
  }

  function remove(phone: Phone): void {
    phones.value = phones.value.filter((row) => row !== phone);
  }

  return { phones, add, remove };
}
