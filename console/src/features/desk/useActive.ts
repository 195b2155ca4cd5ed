import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";

import { useSessions } from "@/stores/sessions";

/** The session that the address names. */
export function useActive() {
  const route = useRoute();
  const router = useRouter();
  const sessions = useSessions();
  const id = computed(() => (typeof route.params["id"] === "string" ? route.params["id"] : ""));
  const session = computed(() => sessions.rows[id.value] ?? null);
  const select = (next: string): void => void router.push({ name: "desk", params: next ? { id: next } : {} });
  return { id, session, select };
}
