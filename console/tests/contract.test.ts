import { readFileSync } from "node:fs";

import { beforeEach, expect, test, vi } from "vitest";

import * as administration from "@/api/administration";
import * as attachments from "@/api/attachments";
import * as auth from "@/api/auth";
import * as knowledge from "@/api/knowledge";
import * as people from "@/api/people";
import * as sessions from "@/api/sessions";
import { keepTokens } from "@/api/tokens";

interface OpenApi {
  paths: Record<string, Record<string, unknown>>;
}

const contract = JSON.parse(readFileSync("../docs/openapi.json", "utf8")) as OpenApi;
const operations = Object.entries(contract.paths).flatMap(([path, methods]) => {
  const pattern = new RegExp(`^${path.replace(/\{[^}]+\}/g, "id")}$`);
  return Object.keys(methods).map((method) => ({ method: method.toUpperCase(), pattern }));
});

let asked: { method: string; path: string }[];

beforeEach(() => {
  asked = [];
  keepTokens({ access_token: "a", refresh_token: "r", expires_in_s: 900 });
  vi.stubGlobal("fetch", (address: string, { method = "GET" }: RequestInit) => {
    asked.push({ method, path: address.replace(/\?.*/, "") });
    return Promise.resolve(new Response("{}"));
  });
  vi.stubGlobal("URL", Object.assign(URL, { createObjectURL: () => "blob:x" }));
});

/** Sent by XMLHttpRequest, and checked by the browser test. */
const ELSEWHERE = new Set(["upload"]);
const calls = Object.entries({ ...administration, ...attachments, ...auth, ...knowledge, ...people, ...sessions })
  .filter(([name, value]) => typeof value === "function" && !ELSEWHERE.has(name))
  .map(([name, value]) => [name, value as (...args: unknown[]) => Promise<unknown>] as const);

test.each(calls)("%s is an operation of the API", async (_name, ask) => {
  const steps = { stepArticle: ["id", "submit", 1] } as Record<string, unknown[]>;
  await ask(...(steps[_name] ?? ["id", "value", "more"]));
  expect(asked).toHaveLength(1);
  for (const { method, path } of asked) {
    const isKnown = operations.some((one) => one.method === method && one.pattern.test(path));
    expect(isKnown, `${method} ${path}`).toBe(true);
  }
});
