import { beforeEach, expect, test, vi } from "vitest";

import { get, post, whenSignedOut } from "@/api/http";
import { ApiError } from "@/api/problem";
import { keepTokens, readTokens } from "@/api/tokens";

interface Asked {
  method: string;
  path: string;
  token: string | null;
  body: unknown;
}

let asked: Asked[];

function serve(answer: (request: Asked) => { status: number; body?: unknown }): void {
  asked = [];
  vi.stubGlobal("fetch", async (path: string, options: RequestInit) => {
    const headers = options.headers as Headers;
    const body = typeof options.body === "string" ? (JSON.parse(options.body) as unknown) : null;
    const request = { method: options.method ?? "", path, token: headers.get("Authorization"), body };
    asked.push(request);
    await Promise.resolve();
    const { status, body: json } = answer(request);
    return new Response(status === 204 ? null : JSON.stringify(json ?? {}), { status });
  });
}

const issue = (name: string, expires_in_s = 900) =>
  keepTokens({ access_token: name, refresh_token: `refresh-${name}`, expires_in_s });
const renewed = { access_token: "b", refresh_token: "refresh-b", token_type: "Bearer", expires_in_s: 900 };

beforeEach(() => localStorage.clear());

test("an expired token is renewed once for all calls that wait", async () => {
  issue("a");
  serve(({ path, token }) => {
    if (path.endsWith("/auth/refresh")) return { status: 200, body: renewed };
    return token === "Bearer b" ? { status: 200, body: { ok: true } } : { status: 401, body: {} };
  });
  await Promise.all([get("/sessions"), get("/servicers"), get("/queue")]);
  const refreshes = asked.filter(({ path }) => path.endsWith("/auth/refresh"));
  expect(refreshes.map(({ body }) => body)).toEqual([{ refresh_token: "refresh-a" }]);
  expect(readTokens()).toMatchObject({ access_token: "b", refresh_token: "refresh-b" });
});

test("a token about to end is renewed before it is used", async () => {
  issue("a", 5);
  serve(({ path }) => ({ status: 200, body: path.endsWith("/auth/refresh") ? renewed : {} }));
  await get("/queue");
  expect(asked.map(({ path, token }) => [path, token])).toEqual([
    ["/api/v1/auth/refresh", null],
    ["/api/v1/queue", "Bearer b"],
  ]);
});

test("a token that another tab renewed meanwhile is taken instead of using the old one twice", async () => {
  issue("a");
  serve(({ token }) => {
    if (token === "Bearer a") {
      issue("c");
      return { status: 401 };
    }
    return { status: 200 };
  });
  await get("/queue");
  expect(asked.map(({ path, token }) => [path, token])).toEqual([
    ["/api/v1/queue", "Bearer a"],
    ["/api/v1/queue", "Bearer c"],
  ]);
});

test("a refused refresh signs out and forgets the tokens", async () => {
  const left = vi.fn();
  whenSignedOut(left);
  issue("a");
  serve(() => ({ status: 401, body: { title: "x", code: "token_reused", status: 401, type: "" } }));
  await expect(get("/queue")).rejects.toMatchObject({ code: "unauthenticated" });
  expect(left).toHaveBeenCalledOnce();
  expect(readTokens()).toBeNull();
});

test("a problem comes out with its title, code and fields", async () => {
  issue("a");
  const problem = { type: "about:blank", title: "会话已被他人接入", status: 409, code: "conflict", facts: { by: "李军" } };
  serve(() => ({ status: 409, body: problem }));
  const refused = await post("/sessions/s/claim").catch((reason: unknown) => reason);
  expect(refused).toBeInstanceOf(ApiError);
  expect(refused).toMatchObject({ message: "会话已被他人接入", status: 409, code: "conflict", facts: { by: "李军" } });
});

test("no answer at all is told apart from a refusal", async () => {
  issue("a");
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  await expect(get("/queue")).rejects.toMatchObject({ code: "offline", status: 0 });
});
