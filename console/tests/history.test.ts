import { expect, it, vi } from "vitest";

import { nextFull } from "@/features/sessions/paging";

it("reads on while pages are empty and not the last", async () => {
  const pages = [
    { items: [], next_cursor: "a" },
    { items: [], next_cursor: "b" },
    { items: ["found"], next_cursor: "c" },
  ];
  const fetch = vi.fn((cursor: string | null) => Promise.resolve(pages[cursor === null ? 0 : cursor === "a" ? 1 : 2]!));
  expect(await nextFull(fetch, null)).toEqual({ items: ["found"], next_cursor: "c" });
  expect(fetch.mock.calls.map(([cursor]) => cursor)).toEqual([null, "a", "b"]);
});

it("gives the way on to the reader when nothing is found for long", async () => {
  const fetch = vi.fn(() => Promise.resolve({ items: [] as string[], next_cursor: "on" }));
  expect((await nextFull(fetch, null)).next_cursor).toBe("on");
  expect(fetch).toHaveBeenCalledTimes(20);
});
