import { describe, expect, test } from "vitest";

import { doorOf, isInWeChat } from "@/h5/door";
import { upsert } from "@/phone/entries";
import type { Entry } from "@/phone/types";
import { format, parse } from "@/phone/usePhones";

describe("the customers' landing page", () => {
  const to = (url: string) => doorOf(`?to=${encodeURIComponent(url)}`, "https://kf.example.cn");

  test("opens 微信客服 and the own sandbox", () => {
    expect(to("https://work.weixin.qq.com/kf/kfc1?enc_scene=E")).toBe("https://work.weixin.qq.com/kf/kfc1?enc_scene=E");
    expect(to("https://kf.example.cn/phone/kf/kfc1")).toBe("https://kf.example.cn/phone/kf/kfc1");
  });

  test.each([
    "https://evil.cn/kf/kfc1",
    "https://work.weixin.qq.com.evil.cn/kf/x",
    "http://work.weixin.qq.com/kf/x",
    "https://work.weixin.qq.com/other",
    "javascript:alert(1)",
    "",
  ])("opens nothing else: %s", (url) => {
    expect(to(url)).toBeNull();
  });

  test("knows WeChat by its browser", () => {
    expect(isInWeChat("Mozilla/5.0 … MicroMessenger/8.0.50")).toBe(true);
    expect(isInWeChat("Mozilla/5.0 … Chrome/130")).toBe(false);
  });
});

describe("the phone page", () => {
  test("its address remembers the phones and their open chats", () => {
    const phones = [
      { kind: "customer" as const, id: "wm1", kfid: "wk1" },
      { kind: "customer" as const, id: "wm2", kfid: "" },
      { kind: "servicer" as const, id: "chenjing", kfid: "" },
    ];
    expect(format(phones)).toBe("#c:wm1:wk1,c:wm2,s:chenjing");
    expect(parse(format(phones))).toEqual(phones);
    expect(parse("")).toEqual([]);
  });

  test("an entry that changes replaces its older self", () => {
    const entry = (seq: number, is_recalled = false) => ({ seq, is_recalled }) as Entry;
    expect(upsert([entry(1), entry(3)], [entry(2), entry(3, true)])).toEqual([entry(1), entry(2), entry(3, true)]);
  });
});
