import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, test, vi } from "vitest";

import * as api from "@/api/sessions";
import type { Page, SessionView } from "@/api/types";
import { useLive } from "@/stores/live";
import { useSessions } from "@/stores/sessions";

import { aSession, deferred } from "./factories";

vi.mock("@/api/sessions");
const page = (...items: SessionView[]): Page<SessionView> => ({ items, next_cursor: null });

beforeEach(() => {
  setActivePinia(createPinia());
  vi.resetAllMocks();
  vi.mocked(api.readMarks).mockResolvedValue({ items: [] });
});

test("a session that opens while the lists are fetched stays", async () => {
  const slow = deferred<Page<SessionView>>();
  vi.mocked(api.sessions).mockReturnValue(slow.promise);
  const sessions = useSessions();
  const old = aSession({ id: "old" });
  const gone = aSession({ id: "gone" });
  sessions.put(gone);
  const refreshing = sessions.refresh();
  useLive().take({ type: "session.opened", session: aSession({ id: "new" }) } as never);
  sessions.countUnread("new");
  slow.settle(page(old));
  await refreshing;
  expect(Object.keys(sessions.rows).sort()).toEqual(["new", "old"]);
  expect(sessions.unread["new"]).toBe(1);
});

test("what an event told is not taken back by a list that was read before it", async () => {
  const slow = deferred<Page<SessionView>>();
  vi.mocked(api.sessions).mockReturnValue(slow.promise);
  const sessions = useSessions();
  const queued = aSession({ id: "s", state: "queued", version: 3 });
  sessions.put(queued);
  const refreshing = sessions.refresh();
  useLive().take({ type: "session.assigned", session: { ...queued, state: "serving", version: 4 } } as never);
  slow.settle(page(queued));
  await refreshing;
  expect(sessions.rows["s"]?.state).toBe("serving");
});
