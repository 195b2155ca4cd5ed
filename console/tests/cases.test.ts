import { describe, expect, test } from "vitest";

import type { Rule, TicketView } from "@/api/cases";
import { ApiError } from "@/api/problem";
import type { Event } from "@/api/types";
import { periodsOf, textOf } from "@/features/calendars/periods";
import { totalOf } from "@/features/reviews/total";
import { isComplete, unwrapped, wrapped } from "@/features/segments/rules";
import { everything, fromSaved, toServer } from "@/features/tickets/list/query";
import { moved } from "@/features/tickets/list/useBoard";
import { withTicket } from "@/features/tickets/list/useTicketList";
import { clashOf, differences } from "@/features/tickets/page/conflict";
import { nearness } from "@/features/tickets/parts/due";
import { placeOf } from "@/h5/pages";
import { fromWallClock, isoDay } from "@/shared/time";

const ticket = (facts: Partial<TicketView>): TicketView => ({ id: "t1", state: "new", version: 1, ...facts }) as TicketView;

describe("a list of tickets", () => {
  test("asks the server for its filters and leaves out what is empty", () => {
    const query = { ...everything(), states: ["new" as const, "open" as const], servicer: "none" };
    expect(toServer(query)).toMatchObject({ state: "new,open", servicer_id: "", is_unassigned: true, is_breached: null });
    expect(toServer({ ...everything(), servicer: "me" })).toMatchObject({ servicer_id: "me", is_unassigned: null });
  });

  test("a saved list survives unknown words", () => {
    expect(fromSaved({ states: ["open", "gone"], order: 7, q: "VPN" })).toEqual({ ...everything(), states: ["open"], q: "VPN" });
  });

  test("an older event does not overwrite a newer row", () => {
    const rows = [ticket({ version: 3 })];
    const event = (version: number): Event => ({ type: "ticket.updated", ticket: ticket({ version }) }) as unknown as Event;
    expect(withTicket(rows, event(2))).toBe(rows);
    expect(withTicket(rows, event(4))[0]?.version).toBe(4);
  });

  test("a moved card leaves one lane and leads the other", () => {
    const lanes = { new: [ticket({})], open: [ticket({ id: "t2", state: "open" })] };
    const next = moved(lanes, ticket({ state: "open", version: 2 }));
    expect(next.new).toEqual([]);
    expect(next.open?.map((row) => row.id)).toEqual(["t1", "t2"]);
  });
});

describe("two people at one ticket", () => {
  test("see both versions, field by field", () => {
    const facts = { current: { ...ticket({ version: 5 }), title: "VPN 断线", priority: "high" }, yours: { title: "VPN 连不上", priority: "high" } };
    const clash = clashOf(new ApiError({ title: "", status: 409, code: "conflict", facts }));
    expect(clash && differences(clash)).toEqual([{ field: "title", theirs: "VPN 断线", mine: "VPN 连不上" }]);
  });

  test("other refusals are no conflict", () => {
    expect(clashOf(new ApiError({ title: "", status: 409, code: "ticket_closed", facts: { state: "closed" } }))).toBeNull();
    expect(clashOf(new Error("x"))).toBeNull();
  });
});

test("a clock says how near the deadline is", () => {
  const now = Date.parse("2026-03-01T01:00:00Z");
  expect(nearness("2026-03-01T05:00:00Z", now)).toBe("far");
  expect(nearness("2026-03-01T01:30:00Z", now)).toBe("near");
  expect(nearness("2026-03-01T00:59:59Z", now)).toBe("past");
  expect(nearness(null, now)).toBe("paused");
});

describe("opening hours", () => {
  test("are read as people write them", () => {
    expect(periodsOf("9:00-12:00，13:30–18:00")).toEqual([["09:00", "12:00"], ["13:30", "18:00"]]);
    expect(periodsOf("")).toEqual([]);
    expect(textOf([["09:00", "24:00"]])).toBe("09:00-24:00");
  });

  test.each(["18:00-09:00", "09:00-12:00, 11:00-13:00", "9-12", "09:00-24:30", "x"])("%s is refused", (text) => {
    expect(periodsOf(text)).toBeNull();
  });
});

describe("a segment's rule", () => {
  test("can be turned round and back", () => {
    const rule: Rule = { kind: "tag", tag: "VIP" };
    expect(unwrapped(wrapped(rule, true))).toEqual({ inner: rule, isNot: true });
    expect(wrapped(rule, false)).toBe(rule);
  });

  test("is not sent while something must still be said", () => {
    const tag = (text: string): Rule => ({ kind: "any", rules: [{ kind: "not", rule: { kind: "tag", tag: text } }] });
    expect(isComplete(tag(""))).toBe(false);
    expect(isComplete(tag("VIP"))).toBe(true);
  });
});

test("a critical item that got nothing fails the review", () => {
  const items = [
    { key: "a", title: "a", weight: 60, best: 5 },
    { key: "b", title: "b", weight: 40, best: 5, is_critical: true },
  ];
  expect(totalOf(items, { a: 5, b: 4 })).toBe(92);
  expect(totalOf(items, { a: 5, b: 0 })).toBe(0);
});

test("wall clocks are the office's, wherever the browser is", () => {
  expect(fromWallClock("2026-10-01T09:00:00")).toBe("2026-10-01T01:00:00.000Z");
  expect(isoDay(new Date("2026-09-30T17:00:00Z"))).toBe("2026-10-01");
});

test("a customer's link works with and without a hash", () => {
  expect(placeOf("#/ticket/abc").rest).toEqual(["abc"]);
  expect(placeOf("", "/h5/ticket/abc").page).toBe(placeOf("#/ticket/abc").page);
  expect(placeOf("", "/h5/").page).toBe(placeOf("#/").page);
});
