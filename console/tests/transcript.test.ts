import { expect, it } from "vitest";

import { asText, fileName } from "@/features/desk/chat/transcript";

import { aMessage, aSession } from "./factories";

it("names everyone and tells the time in Shanghai", () => {
  const session = aSession();
  const said = { content: { type: "text" as const, text: "您好" }, sent_at: "2026-03-01T23:30:00Z" };
  expect(asText(aMessage({ ...said, sender: "customer" }), session)).toBe("[2026/03/02 07:30] 王建国: 您好");
  expect(asText(aMessage({ ...said, sender: "servicer", servicer_name: "陈静" }), session)).toContain("陈静: 您好");
  expect(asText(aMessage({ ...said, sender: "bot" }), session)).toContain("机器人: 您好");
});

it("keeps what was withdrawn to itself", () => {
  const line = aMessage({ sender: "customer", content: { type: "text", text: "口令" }, recalled_at: "2026-03-01T23:31:00Z" });
  expect(asText(line, aSession())).toContain("撤回了一条消息");
  expect(asText(line, aSession())).not.toContain("口令");
});

it("is a file that every system takes, by the day of the office", () => {
  expect(fileName(aSession({ customer_name: "王/建国", opened_at: "2026-03-01T23:30:00Z" }))).toBe("王_建国-2026-03-02.txt");
});

it("writes a menu with what it offered", () => {
  const items = [{ id: "q1", label: "重置密码" }];
  const line = aMessage({ sender: "bot", content: { type: "menu", head: "您是想问：", items, tail: "" } });
  expect(asText(line, aSession())).toContain("您是想问：\n  · 重置密码");
});
