import { describe, expect, test } from "vitest";

import type { Event } from "@/api/types";
import { apply, EMPTY, type World } from "@/events/apply";

import { aCustomer, aMessage, aNote, aRating, aServicer, aSession } from "./factories";

const world = (facts: Partial<World> = {}): World => ({ ...EMPTY, ...facts });
const run = (start: World, ...events: Event[]): World => events.reduce(apply, start);

describe("sessions", () => {
  test("a session handed off, then assigned, ends with the person who has it", () => {
    const queued = aSession({ state: "queued", servicer_id: null, version: 2 });
    const serving = { ...queued, state: "serving" as const, servicer_id: "chenjing", version: 3 };
    const after = run(
      world(),
      { type: "session.handed_off", session: queued, position: 1, promised_wait_s: 60 },
      { type: "session.assigned", session: serving, how: "assigned", previous_servicer_id: null, by: null },
    );
    expect(after.sessions[queued.id]).toEqual(serving);
  });

  test("an older version that arrives late overwrites nothing", () => {
    const now = aSession({ version: 5, state: "closed" });
    const late = { ...now, version: 4, state: "serving" as const };
    const before = world({ sessions: { [now.id]: now } });
    expect(apply(before, { type: "session.updated", session: late }).sessions).toBe(before.sessions);
  });

  test("a customer's line starts the waiting clock once, and an answer stops it", () => {
    const session = aSession();
    const first = aMessage({ session_id: session.id, sent_at: "2026-03-01T01:00:01Z" });
    const second = aMessage({ session_id: session.id, sent_at: "2026-03-01T01:00:05Z" });
    const answer = aMessage({ session_id: session.id, sender: "servicer", sent_at: "2026-03-01T01:00:09Z" });
    const waiting = run(
      world({ sessions: { [session.id]: session } }),
      { type: "message.added", message: first },
      { type: "message.added", message: second },
    );
    expect(waiting.sessions[session.id]?.waiting_since).toBe(first.sent_at);
    const answered = apply(waiting, { type: "message.added", message: answer });
    expect(answered.sessions[session.id]?.waiting_since).toBeNull();
    expect(answered.sessions[session.id]?.last_message_at).toBe(answer.sent_at);
  });

  test("a changed window reaches every session of the conversation and no other", () => {
    const here = aSession();
    const there = aSession({ conversation_id: "other" });
    const after = apply(world({ sessions: { [here.id]: here, [there.id]: there } }), {
      type: "window.changed",
      conversation_id: here.conversation_id,
      session_id: here.id,
      window: { left: 1, until: null, warn_left: 1, warn_at: null },
    });
    expect(after.sessions[here.id]?.window.left).toBe(1);
    expect(after.sessions[there.id]).toBe(there);
  });

  test("a renamed customer is renamed in the lists", () => {
    const session = aSession();
    const customer = aCustomer({ name: "王主任", institution_name: "省疾控" });
    const after = apply(world({ sessions: { [session.id]: session } }), { type: "customer.changed", customer });
    expect(after.sessions[session.id]).toMatchObject({ customer_name: "王主任", institution_name: "省疾控" });
    expect(after.customers["customer"]).toEqual(customer);
  });

  test("a rating shows on its session", () => {
    const session = aSession({ id: "session" });
    const rating = aRating({ score: 5, rated_at: "2026-03-01T02:01:00Z" });
    const after = apply(world({ sessions: { session } }), { type: "rating.given", rating });
    expect(after.sessions["session"]?.rating_score).toBe(5);
    expect(after.ratings["session"]).toEqual(rating);
  });
});

describe("transcripts", () => {
  test("a row shows the customer's own last words, not ours", () => {
    const session = aSession({ id: "session" });
    const line = (sender: "customer" | "system", text: string, sent_at: string): Event => ({
      type: "message.added",
      message: aMessage({ session_id: "session", sender, content: { type: "text", text }, sent_at }),
    });
    const after = run(
      world({ sessions: { session } }),
      line("customer", "打印机坏了", "2026-03-01T02:01:00Z"),
      line("system", "您好，我是陈静", "2026-03-01T02:02:00Z"),
    );
    expect(after.sessions["session"]).toMatchObject({
      last_customer_text: "打印机坏了",
      last_message_at: "2026-03-01T02:02:00Z",
    });
  });

  test("lines of a conversation that is not open here are not kept", () => {
    const before = world();
    expect(apply(before, { type: "message.added", message: aMessage() }).threads).toBe(before.threads);
  });

  test("delivery, recall and fetched media change the one line that they are about", () => {
    const [one, two] = [aMessage({ sender: "servicer", delivery: "pending" }), aMessage()];
    const ids = { conversation_id: "conversation", session_id: "session" };
    const media = { vendor_ref: null, attachment_id: "a1", name: "截图.png", mime: "image/png", size: 10 };
    const stored = { ...two, content: { type: "image" as const, media } };
    const after = run(
      world({ threads: { conversation: [one, two] } }),
      { type: "message.delivery_changed", message_id: one.id, ...ids, delivery: "failed", failure: "95001", joined_to: "m0" },
      { type: "message.recalled", message_id: one.id, ...ids, recalled_at: "2026-03-01T01:02:00Z" },
      { type: "message.media_stored", message: stored },
    );
    expect(after.threads["conversation"]).toEqual([
      { ...one, delivery: "failed", failure: "95001", joined_to: "m0", recalled_at: "2026-03-01T01:02:00Z" },
      stored,
    ]);
  });

  test("a note told twice is kept once", () => {
    const note = aNote();
    const after = run(world(), { type: "note.added", note }, { type: "note.added", note });
    expect(after.notes["conversation"]).toEqual([note]);
  });
});

describe("the rest", () => {
  test("a servicer's load and presence follow the event", () => {
    const busy = aServicer({ presence: "busy", open_sessions: 3 });
    expect(apply(world(), { type: "servicer.changed", servicer: busy }).servicers["chenjing"]).toEqual(busy);
  });

  test("stale lists are counted up, each for itself", () => {
    const after = run(
      world(),
      { type: "article.changed", article_id: "a", is_live: true },
      { type: "question.decided", decision_id: "d", session_id: "s", band: "menu", article_id: null, confidence: 0.6 },
    );
    expect(after.revisions).toEqual({ articles: 1, settings: 0, audit: 0, tickets: 0, decisions: { s: 1 } });
  });

  test("an event of a newer server changes nothing", () => {
    const before = world();
    expect(apply(before, { type: "moon.rose" } as unknown as Event)).toBe(before);
  });

  test("what an event does not touch is shared, not copied", () => {
    const before = world({ threads: { conversation: [aMessage()] } });
    const after = apply(before, { type: "servicer.changed", servicer: aServicer() });
    expect(after.threads).toBe(before.threads);
    expect(before.servicers).toEqual({});
  });
});
