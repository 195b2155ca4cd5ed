import { expect, test } from "vitest";

import { pointFor, type Point } from "@/features/bot/curve";
import { chatParts, fromEditor, paragraphs } from "@/features/articles/richText";
import { treeOf } from "@/features/knowledge/tree";

test("a chat shows lists, links and images of rich text", () => {
  const html = '<p>先看<a href="https://a.cn">说明</a></p><ol><li>打开</li><li>确定</li></ol><img src="attachment:f1">';
  expect(chatParts(html)).toEqual([
    { kind: "text", value: "先看说明（https://a.cn）\n1. 打开\n2. 确定" },
    { kind: "image", value: "f1" },
  ]);
});

test("a long answer becomes messages that WeCom takes", () => {
  const parts = chatParts(paragraphs(Array.from({ length: 60 }, () => "字".repeat(30)).join("\n")));
  expect(parts.length).toBe(3);
  for (const part of parts) expect(new TextEncoder().encode(part.value).length).toBeLessThanOrEqual(2048);
});

test("markup in plain text stays text", () => {
  expect(chatParts(paragraphs("<img src=x> & 1"))).toEqual([{ kind: "text", value: "<img src=x> & 1" }]);
});

test("the editor hands back image names, not addresses, and nothing for an empty answer", () => {
  expect(fromEditor('<div>看图</div><img data-id="f1" src="blob:x">')).toBe('<p>看图</p><img src="attachment:f1">');
  expect(fromEditor("<p><br></p>")).toBe("");
});

test("categories nest under their parents", () => {
  const row = (path: string, parent: string) => ({ path, parent, name: path, position: 0, articles: 0 });
  expect(treeOf([row("a", ""), row("a/b", "a")]).map((node) => node.children.length)).toEqual([1]);
});

test("the target chooses the widest coverage that reaches it", () => {
  const point = (precision: number, coverage: number) => ({ precision, coverage, answers: 9 }) as Point;
  const curve = [point(0.99, 0.3), point(0.98, 0.5), point(0.9, 0.8)];
  expect(pointFor(curve, 0.98)?.coverage).toBe(0.5);
  expect(pointFor(curve, 0.995)).toBeNull();
});
