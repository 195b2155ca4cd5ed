import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, test, vi } from "vitest";

import { ApiError } from "@/api/problem";
import * as api from "@/api/sessions";
import type { MessageView } from "@/api/types";
import { useLive } from "@/stores/live";
import { useMessages } from "@/stores/messages";

import { aMessage, aSession, deferred } from "./factories";

vi.mock("@/api/sessions");
const session = aSession({ id: "session" });
const hello = { type: "text" as const, text: "您好" };
const thread = (): readonly MessageView[] => useMessages().threads["conversation"] ?? [];

beforeEach(() => {
  setActivePinia(createPinia());
  vi.resetAllMocks();
});

test("what I send is shown at once and becomes the server's line", async () => {
  const answer = deferred<MessageView[]>();
  vi.mocked(api.send).mockReturnValue(answer.promise);
  const sending = useMessages().send(session, hello);
  expect(thread()).toMatchObject([{ content: hello, delivery: "pending", sender: "servicer" }]);
  const client_id = vi.mocked(api.send).mock.calls[0]?.[1].client_id ?? "";
  answer.settle([aMessage({ id: "m1", client_id, sender: "servicer", delivery: "pending", content: hello })]);
  await sending;
  expect(thread()).toMatchObject([{ id: "m1", delivery: "pending" }]);
});

test("an event that outruns the response leaves one line, in its later state", async () => {
  const answer = deferred<MessageView[]>();
  vi.mocked(api.send).mockReturnValue(answer.promise);
  const sending = useMessages().send(session, hello);
  const client_id = vi.mocked(api.send).mock.calls[0]?.[1].client_id ?? "";
  const line = aMessage({ id: "m1", client_id, sender: "servicer", delivery: "pending", content: hello });
  const live = useLive();
  live.take({ type: "message.added", message: line });
  const ids = { message_id: "m1", conversation_id: "conversation", session_id: "session" };
  live.take({ type: "message.delivery_changed", ...ids, delivery: "sent", failure: "", joined_to: null });
  answer.settle([line]);
  await sending;
  expect(thread()).toMatchObject([{ id: "m1", delivery: "sent" }]);
});

test("a refused line says why, and goes out again under the same client id", async () => {
  const closed = new ApiError({ title: "窗口已关闭", status: 409, code: "window_closed" });
  vi.mocked(api.send).mockRejectedValueOnce(closed);
  await expect(useMessages().send(session, hello)).rejects.toBe(closed);
  const failed = thread()[0];
  if (!failed) throw new Error("the refused line is gone");
  expect(failed).toMatchObject({ delivery: "failed", failure: "window_closed" });

  const held = aMessage({ id: "m2", client_id: failed.id, delivery: "held", sender: "servicer" });
  vi.mocked(api.send).mockResolvedValueOnce([held]);
  await useMessages().resend(session, failed, true);
  expect(vi.mocked(api.send).mock.calls[1]?.[1]).toMatchObject({ client_id: failed.id, hold_if_closed: true });
  expect(thread()).toMatchObject([{ id: "m2", delivery: "held" }]);
});

test("older pages go on top and the end of history is known", async () => {
  const [one, two, three] = [aMessage(), aMessage(), aMessage()];
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [three], has_more: true });
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [one, two], has_more: false });
  const messages = useMessages();
  await messages.load(session);
  expect(messages.hasOlder["conversation"]).toBe(true);
  await messages.loadOlder(session);
  expect(vi.mocked(api.messages).mock.calls[1]?.[1]).toMatchObject({ before_seq: three.seq });
  expect(thread()).toEqual([one, two, three]);
  expect(messages.hasOlder["conversation"]).toBe(false);
});

test("after a long absence old lines are dropped rather than shown with a hole", async () => {
  const [old, recent] = [aMessage(), aMessage()];
  const messages = useMessages();
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [old], has_more: false });
  await messages.load(session);
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [recent], has_more: true });
  await messages.load(session);
  expect(thread()).toEqual([recent]);
  expect(messages.hasOlder["conversation"]).toBe(true);
});

test("goes back in large pages until an old line is there", async () => {
  const [one, two, three] = [aMessage(), aMessage(), aMessage()];
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [three], has_more: true });
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [two], has_more: true });
  vi.mocked(api.messages).mockResolvedValueOnce({ items: [one], has_more: true });
  const messages = useMessages();
  await messages.load(session);
  await messages.reach(session, one.seq);
  expect(thread()).toEqual([one, two, three]);
  expect(vi.mocked(api.messages)).toHaveBeenCalledTimes(3);
  await messages.reach(session, two.seq);
  expect(vi.mocked(api.messages)).toHaveBeenCalledTimes(3);
});
