import { computed, ref, shallowRef } from "vue";

import { ApiError } from "@/api/problem";
import type { Page } from "@/api/types";

/** A list fetched page by page; `fetch` gets the cursor of the next one. */
export function useList<T>(fetch: (cursor: string | null) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([]);
  const cursor = ref<string | null>(null);
  const isLoading = ref(false);
  const isLoaded = ref(false);
  const error = ref("");
  let turn = 0;

  async function load(isFirst: boolean): Promise<void> {
    turn += 1;
    const mine = turn;
    isLoading.value = true;
    error.value = "";
    try {
      const page = await fetch(isFirst ? null : cursor.value);
      if (mine !== turn) return;
      items.value = isFirst ? page.items : [...items.value, ...page.items];
      cursor.value = page.next_cursor ?? null;
      isLoaded.value = true;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (mine === turn) error.value = reason.message;
    } finally {
      if (mine === turn) isLoading.value = false;
    }
  }

  return {
    items,
    isLoading,
    isLoaded,
    error,
    hasMore: computed(() => cursor.value !== null),
    reload: () => load(true),
    more: () => load(false),
  };
}
