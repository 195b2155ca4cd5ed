import { ApiError } from "./problem";
import { dropTokens, keepTokens, readTokens } from "./tokens";
import type { TokenView } from "./types";

export const BASE = "/api/v1";

export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

interface Options {
  query?: Query | undefined;
  body?: unknown;
  /** Sent without a token, and never retried: login and refresh themselves. */
  isOpen?: boolean;
}

/** Worded by the application, because this module knows no locale. */
export const wording = { offline: "无法连接服务器，请检查网络", broken: "服务器出了问题，请稍后再试", language: "zh-CN" };

let onSignedOut: () => void = () => undefined;

export function whenSignedOut(callback: () => void): void {
  onSignedOut = callback;
}

export async function call<T>(method: string, path: string, options: Options = {}): Promise<T> {
  const response = await send(method, path, options);
  if (response.status === 204) return undefined as T;
  return (await response.json()) as T;
}

export const get = <T>(path: string, query?: Query) => call<T>("GET", path, { query });
export const post = <T>(path: string, body: unknown = {}) => call<T>("POST", path, { body });
export const put = <T>(path: string, body: unknown) => call<T>("PUT", path, { body });
export const patch = <T>(path: string, body: unknown) => call<T>("PATCH", path, { body });
export const remove = (path: string) => call<undefined>("DELETE", path);

/** The answer as it is; refusals become ApiError. */
export async function send(method: string, path: string, options: Options = {}): Promise<Response> {
  const token = options.isOpen ? null : await accessToken();
  let response = await attempt(method, path, options, token);
  if (response.status === 401 && token !== null) {
    response = await attempt(method, path, options, await refresh(token));
  }
  if (!response.ok) throw await ApiError.of(response, wording.broken);
  return response;
}

async function attempt(method: string, path: string, options: Options, token: string | null): Promise<Response> {
  const headers = new Headers({ "Accept-Language": wording.language });
  if (token) headers.set("Authorization", `Bearer ${token}`);
  if (method === "POST" && !options.isOpen) headers.set("Idempotency-Key", newKey());
  try {
    return await fetch(BASE + path + search(options.query), { method, headers, body: encode(options.body, headers) });
  } catch {
    throw new ApiError({ title: wording.offline, status: 0, code: "offline" });
  }
}

function encode(body: unknown, headers: Headers): BodyInit | null {
  if (body === undefined) return null;
  if (body instanceof FormData) return body;
  headers.set("Content-Type", "application/json");
  return JSON.stringify(body);
}

function search(query: Query = {}): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null && value !== "");
  if (pairs.length === 0) return "";
  return `?${new URLSearchParams(pairs.map(([key, value]): [string, string] => [key, String(value)])).toString()}`;
}

/** randomUUID exists only on https and localhost; intranets often have neither. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** A token that is good for at least another 20 seconds. */
export async function accessToken(): Promise<string> {
  const tokens = readTokens();
  if (!tokens) return signedOut();
  if (tokens.expires_at_ms - Date.now() > 20_000) return tokens.access_token;
  return refresh(tokens.access_token);
}

let underWay: Promise<string> | null = null;

/** A new access token in place of `stale`: one refresh at a time over all tabs of the browser. */
export function refresh(stale: string): Promise<string> {
  underWay ??= alone(() => refreshNow(stale)).finally(() => {
    underWay = null;
  });
  return underWay;
}

function alone<T>(work: () => Promise<T>): Promise<T> {
  const locks = (navigator as { locks?: LockManager }).locks;
  return locks ? (locks.request("wenqu.refresh", work) as Promise<T>) : work();
}

async function refreshNow(stale: string): Promise<string> {
  const tokens = readTokens();
  if (!tokens) return signedOut();
  if (tokens.access_token !== stale) return tokens.access_token;
  const body = { refresh_token: tokens.refresh_token };
  const response = await attempt("POST", "/auth/refresh", { body, isOpen: true }, null);
  if (response.status === 401 || response.status === 403) {
    dropTokens();
    return signedOut();
  }
  if (!response.ok) throw await ApiError.of(response, wording.broken);
  const answer = (await response.json()) as TokenView;
  keepTokens(answer);
  return answer.access_token;
}

function signedOut(): never {
  onSignedOut();
  throw new ApiError({ title: "", status: 401, code: "unauthenticated" });
}
