import { expect, it, vi } from "vitest";

import type { Page } from "@/api/types";
import { nextFull } from "@/features/sessions/paging";

it("reads on while pages are empty and not the last", async () => {
  const fetch = vi
    .fn<(cursor: string | null) => Promise<Page<string>>>()
    .mockResolvedValueOnce({ items: [], next_cursor: "a" })
    .mockResolvedValueOnce({ items: [], next_cursor: "b" })
    .mockResolvedValueOnce({ items: ["found"], next_cursor: "c" });
  expect(await nextFull(fetch, null)).toEqual({ items: ["found"], next_cursor: "c" });
  expect(fetch.mock.calls.map(([cursor]) => cursor)).toEqual([null, "a", "b"]);
});

it("gives the way on to the reader when nothing is found for long", async () => {
  const fetch = vi.fn(() => Promise.resolve({ items: [] as string[], next_cursor: "on" }));
  expect((await nextFull(fetch, null)).next_cursor).toBe("on");
  expect(fetch).toHaveBeenCalledTimes(20);
});
