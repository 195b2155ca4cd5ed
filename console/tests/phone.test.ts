import { beforeEach, expect, test, vi } from "vitest";
import { effectScope, ref } from "vue";

import * as api from "@/phone/api";
import { useChat } from "@/phone/chat/useChat";
import type { Chat, Entry, Thread } from "@/phone/types";

import { deferred } from "./factories";

vi.mock("@/phone/api");
beforeEach(() => vi.resetAllMocks());

const greeting = { seq: 1, msgid: "m1", side: "account", msgtype: "text", text: { content: "您好" } } as Entry;
const thread = { open_kfid: "wk", external_userid: "wm", state: 0 } as Thread;
const chat = (...entries: Entry[]): Chat => ({ thread, entries, has_more: false }) as Chat;
const attempt = async (work: () => Promise<unknown>): Promise<void> => void (await work());
const opened = (path: () => string) => effectScope().run(() => useChat(path, attempt)) as ReturnType<typeof useChat>;
const settled = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve));

test("an answer that the feed has overtaken does not wipe what it told", async () => {
  const slow = deferred<Chat>();
  vi.mocked(api.chat).mockReturnValueOnce(slow.promise).mockResolvedValueOnce(chat(greeting));
  const screen = opened(() => "wm/wk");
  screen.take({ type: "thread", thread, entries: [greeting] });
  slow.settle(chat()); // read before the greeting was there
  await settled();
  expect(screen.entries.value).toEqual([greeting]);
  expect(api.chat).toHaveBeenCalledTimes(2);
});

test("the answer for a chat that was left shows nothing in the next one", async () => {
  const slow = deferred<Chat>();
  vi.mocked(api.chat).mockReturnValueOnce(slow.promise).mockResolvedValueOnce(chat());
  const path = ref("wm/one");
  const screen = opened(() => path.value);
  path.value = "wm/two";
  await settled();
  slow.settle(chat(greeting));
  await settled();
  expect(screen.entries.value).toEqual([]);
});
