import { expect, test } from "vitest";

import { bestAssured, pointFor, type Point } from "@/features/bot/curve";
import { chatParts, fromEditor, paragraphs } from "@/features/articles/richText";
import { placeOf, treeOf } from "@/features/knowledge/tree";
import { percent } from "@/shared/numbers";

test("a chat shows lists, links and images of rich text", () => {
  const html = '<p>先看<a href="https://a.cn">说明</a></p><ol><li>打开</li><li>确定</li></ol><img src="attachment:f1">';
  expect(chatParts(html)).toEqual([
    { kind: "text", value: "先看说明（https://a.cn）\n1. 打开\n2. 确定" },
    { kind: "image", value: "f1" },
  ]);
});

test("a file is named in the text and follows it, once", () => {
  const link = '<a href="attachment:f1">手册.pdf</a>';
  expect(chatParts(`<p>照${link}做，${link}里有</p><img src="attachment:p">`)).toEqual([
    { kind: "text", value: "照手册.pdf（附件1）做，手册.pdf（附件1）里有" },
    { kind: "image", value: "p" },
    { kind: "file", value: "手册.pdf" },
  ]);
});

test("images stay in their places, each once", () => {
  const html = '<p>先点</p><img src="attachment:a"><p>再点</p><img data-id="b"><img src="attachment:a"><p>完成</p>';
  expect(chatParts(html).map((part) => part.value)).toEqual(["先点", "a", "再点", "b", "完成"]);
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

test("a dragged category takes its place among its new siblings", () => {
  const row = (path: string) => ({ path, parent: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "", name: path.slice(path.lastIndexOf("/") + 1), position: 0, articles: 0 });
  const rows = ["a", "b", "c", "a/x"].map(row);
  const [a, b, c, x] = rows as [(typeof rows)[0], (typeof rows)[0], (typeof rows)[0], (typeof rows)[0]];
  expect(placeOf(rows, c, a, "before")).toEqual({ to: "c", position: 0 });
  expect(placeOf(rows, a, b, "after")).toEqual({ to: "a", position: 1 });
  expect(placeOf(rows, x, c, "after")).toEqual({ to: "x", position: 3 });
  expect(placeOf(rows, b, a, "inner")).toEqual({ to: "a/b", position: 1 });
});

test("the target chooses the widest coverage that is sure to reach it", () => {
  const point = (precision_low: number, coverage: number) => ({ threshold: 0.9, precision: 1, precision_low, coverage, answers: 9 }) as Point;
  const unsure = { ...point(0.999, 1), threshold: 0.01 };
  const curve = [point(0.99, 0.3), point(0.98, 0.5), point(0.9, 0.8), unsure];
  expect(pointFor(curve, 0.98)?.coverage).toBe(0.5);
  expect(pointFor(curve, 0.995)).toBeNull();
  expect(bestAssured(curve)).toBe(0.99);
});

test("a share that is not the whole never reads as the whole", () => {
  expect([0, 0.004, 0.5, 0.994, 0.996, 0.9999, 1 - 1e-15, 1].map(percent)).toEqual(["0%", "0.4%", "50%", "99.4%", "99.6%", "99.9%", "100%", "100%"]);
});
