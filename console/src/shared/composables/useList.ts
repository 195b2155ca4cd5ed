import { computed, ref, shallowRef } from "vue";

import { ApiError } from "@/api/problem";
import type { Page } from "@/api/types";
import { latest } from "@/shared/latest";

/** A list fetched page by page; `fetch` gets the cursor of the next one. */
export function useList<T>(fetch: (cursor: string | null) => Promise<Page<T>>) {
  const items = shallowRef<T[]>([]);
  const cursor = ref<string | null>(null);
  const isLoading = ref(false);
  const isLoaded = ref(false);
  const error = ref("");
  const begin = latest();

  async function load(isFirst: boolean): Promise<void> {
    const isLatest = begin();
    isLoading.value = true;
    error.value = "";
    try {
      const page = await fetch(isFirst ? null : cursor.value);
      if (!isLatest()) return;
      items.value = isFirst ? page.items : [...items.value, ...page.items];
      cursor.value = page.next_cursor ?? null;
      isLoaded.value = true;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (isLatest()) error.value = reason.message;
    } finally {
      if (isLatest()) isLoading.value = false;
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
