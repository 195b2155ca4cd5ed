import { expect, test } from "vitest";

import { merge, UNSENT_SEQ } from "@/events/thread";

import { aMessage } from "./factories";

const unsent = (client: string) =>
  aMessage({ id: client, client_id: client, seq: UNSENT_SEQ, sender: "servicer", delivery: "pending" });

test("lines stand in the order of their seq, whatever order they come in", () => {
  const [a, b, c] = [aMessage(), aMessage(), aMessage()];
  expect(merge(merge([c], [a]), [b, a])).toEqual([a, b, c]);
});

test("an unsent line stays last until the server's line of the same client id takes its place", () => {
  const mine = unsent("k1");
  const theirs = aMessage();
  expect(merge([mine], [theirs])).toEqual([theirs, mine]);
  const answer = aMessage({ client_id: "k1", sender: "servicer", delivery: "sent" });
  expect(merge([theirs, mine], [answer])).toEqual([theirs, answer]);
});

test("a long text that became two lines replaces the one unsent line", () => {
  const mine = unsent("k2");
  const parts = [aMessage({ client_id: "k2" }), aMessage({ client_id: "k2" })];
  expect(merge([mine], parts)).toEqual(parts);
});

test("two unsent lines wait for their own answers", () => {
  const [one, two] = [unsent("k3"), unsent("k4")];
  const answer = aMessage({ client_id: "k4" });
  expect(merge([one, two], [answer])).toEqual([answer, one]);
});

test("a response that is older than the event about it takes nothing back", () => {
  const line = aMessage({ sender: "servicer", delivery: "sent", recalled_at: "2026-03-01T01:00:00Z" });
  const late = { ...line, delivery: "pending" as const, recalled_at: null };
  expect(merge([line], [late])).toEqual([line]);
  const failed = { ...line, delivery: "failed" as const, failure: "x" };
  expect(merge([line], [failed])[0]).toMatchObject({ delivery: "failed", failure: "x" });
});
