import { ref, watch, type WatchSource } from "vue";

const PAUSE_MS = 250;

/** A search word that calls `reload` when typing pauses, and other filters that call it at once. */
export function useSearch(reload: () => unknown, others: WatchSource[] = []) {
  const q = ref("");
  let pause: ReturnType<typeof setTimeout> | undefined;
  watch(q, () => {
    clearTimeout(pause);
    pause = setTimeout(reload, PAUSE_MS);
  });
  watch(others, () => reload());
  return q;
}
