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
  /** The message to show, by its seq; 0: the newest. */
  const line = computed(() => Number(route.query["line"] ?? 0) || 0);
  const select = (next: string, at?: number): void =>
    void router.push({ name: "desk", params: next ? { id: next } : {}, query: at ? { line: String(at) } : {} });
  return { id, session, line, select };
}
