import { expect, test } from "vitest";

import en from "@/locales/en";
import zhCN from "@/locales/zh-CN";

type Tree = { [key: string]: string | Tree };

function leaves(tree: Tree, prefix = ""): Map<string, string> {
  const found = new Map<string, string>();
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === "string") found.set(prefix + key, value);
    else for (const [name, text] of leaves(value, `${prefix}${key}.`)) found.set(name, text);
  }
  return found;
}

const source = leaves(zhCN as Tree);
const english = leaves(en as Tree);
const places = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "").sort();

test("the English locale has every key of the source and no other", () => {
  expect([...english.keys()].sort()).toEqual([...source.keys()].sort());
});

test("both locales fill in the same facts", () => {
  for (const [key, text] of source) expect([key, places(english.get(key) ?? "")]).toEqual([key, places(text)]);
});

test("no text is left untranslated or empty by accident", () => {
  const EMPTY = new Set(["delivery.received", "trace.why.gate"]);
  for (const [key, text] of english) {
    if (EMPTY.has(key)) continue;
    expect(text, key).not.toBe("");
    if (key !== "user.language" && key !== "replies.text_hint") expect(text, key).not.toMatch(/[一-鿿]/);
  }
});
