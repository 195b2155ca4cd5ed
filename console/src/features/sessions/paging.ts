/** A search may return a short page and yet not be at its end: read on until something is found. */
import type { Page } from "@/api/types";

const MOST = 20;

export async function nextFull<T>(fetch: (cursor: string | null) => Promise<Page<T>>, cursor: string | null): Promise<Page<T>> {
  let page = await fetch(cursor);
  for (let turn = 1; turn < MOST && page.items.length === 0 && page.next_cursor; turn += 1) page = await fetch(page.next_cursor);
  return page;
}
