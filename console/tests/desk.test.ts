import { describe, expect, test } from "vitest";

import { filled, matching } from "@/features/desk/compose/canned";
import { linkify, safeUrl } from "@/features/desk/content/linkify";
import { canClaim, canRecall, windowLevel, writingBlock } from "@/features/desk/rules";
import { timeline } from "@/features/desk/timeline";

import { aMessage, aNote, aServicer, aSession } from "./factories";

const own = aServicer();

describe("who may write", () => {
  test.each([
    ["my own session", {}, own, null],
    ["a session in WeCom's own client", { mode: "native" as const }, own, "native"],
    ["a queued one", { state: "queued" as const, servicer_id: null }, own, "queued"],
    ["one with the bot", { state: "bot" as const, servicer_id: null }, own, "bot"],
    ["a colleague's", { servicer_id: "lijun" }, own, "other"],
    ["a closed one, whatever the mode", { state: "closed" as const, mode: "native" as const }, own, "closed"],
    ["any, for a user who is no servicer", {}, null, "nobody"],
  ])("%s", (_name, facts, servicer, block) => {
    expect(writingBlock(aSession(facts), servicer)).toBe(block);
  });

  test("a waiting session may be claimed, a native or served one may not", () => {
    expect(canClaim(aSession({ state: "queued" }), own)).toBe(true);
    expect(canClaim(aSession({ state: "queued", mode: "native" }), own)).toBe(false);
    expect(canClaim(aSession({ state: "serving" }), own)).toBe(false);
    expect(canClaim(aSession({ state: "queued" }), null)).toBe(false);
  });
});

test("only my own delivered message may be recalled, for two minutes", () => {
  const message = aMessage({ sender: "servicer", servicer_id: "chenjing", delivery: "sent", sent_at: "2026-03-01T01:00:00Z" });
  const at = (seconds: number) => Date.parse("2026-03-01T01:00:00Z") + seconds * 1000;
  expect(canRecall(message, own, at(119))).toBe(true);
  expect(canRecall(message, own, at(120))).toBe(false);
  expect(canRecall({ ...message, servicer_id: "lijun" }, own, at(1))).toBe(false);
  expect(canRecall({ ...message, delivery: "pending" }, own, at(1))).toBe(false);
  expect(canRecall({ ...message, recalled_at: message.sent_at }, own, at(1))).toBe(false);
});

test("the window is open, nearly over, at its last message, or closed by count or by time", () => {
  const now = Date.parse("2026-03-02T00:00:00Z");
  const level = (left: number | null, until: string | null, warn_at: string | null = null) =>
    windowLevel(aSession({ window: { left, until, warn_left: 1, warn_at } }), now);
  expect(level(5, "2026-03-03T00:00:00Z")).toBe("open");
  expect(level(5, "2026-03-02T02:00:00Z", "2026-03-02T00:00:00Z")).toBe("soon");
  expect(level(1, "2026-03-03T00:00:00Z")).toBe("last");
  expect(level(0, "2026-03-03T00:00:00Z")).toBe("closed");
  expect(level(5, "2026-03-01T00:00:00Z")).toBe("closed");
  expect(level(null, null)).toBe("open");
});

describe("the timeline", () => {
  const line = (minute: number, session: string) =>
    aMessage({ session_id: session, sent_at: `2026-03-01T01:${String(minute).padStart(2, "0")}:00Z` });

  test("a new session and a long pause each draw one separator", () => {
    const kinds = timeline([line(0, "a"), line(1, "a"), line(9, "a"), line(10, "b")], []).map((one) => one.kind);
    expect(kinds).toEqual(["session", "message", "message", "time", "message", "session", "message"]);
  });

  test("a note stands where it was said, and an older one than the first line is left out", () => {
    const early = aNote({ created_at: "2026-03-01T00:00:00Z" });
    const note = aNote({ created_at: "2026-03-01T01:00:30Z" });
    const shown = timeline([line(0, "a"), line(1, "a")], [early, note]);
    expect(shown.map((one) => one.kind)).toEqual(["session", "message", "note", "message"]);
  });

  test("an unsent line keeps its key when its answer takes its place", () => {
    const before = timeline([aMessage({ id: "k", client_id: "k" })], []);
    const after = timeline([aMessage({ id: "m1", client_id: "k" })], []);
    expect(after.at(-1)?.key).toBe(before.at(-1)?.key);
  });
});

describe("canned replies", () => {
  const reply = (shortcut: string, title: string, text: string) => {
    return { id: shortcut, shortcut, title, text, scope: "all" as const, team_id: null, team_name: "", created_at: "", version: 1 };
  };
  const all = [reply("js", "结束语", "再见"), reply("jt", "要截图", "请发截图"), reply("nh", "您好", "我是{客服姓名}，{机构}的{客户姓名}您好 {别的}")];

  test("a shortcut comes before a title, a title before a text", () => {
    expect(matching(all, "j").map((row) => row.shortcut)).toEqual(["js", "jt"]);
    expect(matching(all, "截图").map((row) => row.shortcut)).toEqual(["jt"]);
    expect(matching(all, "再见").map((row) => row.shortcut)).toEqual(["js"]);
    expect(matching(all, "没有")).toEqual([]);
  });

  test("known braces are filled and unknown ones stay", () => {
    expect(filled(all[2]?.text ?? "", aSession())).toBe("我是陈静，云岭县疾控中心的王建国您好 {别的}");
  });
});

describe("links in a text", () => {
  test("addresses become links up to the Chinese punctuation, the rest stays text", () => {
    expect(linkify("见 https://a.cn/x?y=1，谢谢")).toEqual([
      { text: "见 ", href: null },
      { text: "https://a.cn/x?y=1", href: "https://a.cn/x?y=1" },
      { text: "，谢谢", href: null },
    ]);
  });

  test("no scheme but http and https is ever opened", () => {
    expect(safeUrl("https://a.cn")).toBe("https://a.cn");
    expect(safeUrl("javascript:alert(1)")).toBeNull();
    expect(linkify("javascript:alert(1)").every((piece) => piece.href === null)).toBe(true);
  });
});
