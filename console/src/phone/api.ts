import type { AppChat, Chat, Client, Counters, Customer, Entry, Fault, People, Thread } from "./types";

const BASE = "/phone/api/";

/** What the sandbox refused, in its own words. */
export class Refusal extends Error {}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const isForm = body instanceof FormData;
  const response = await fetch(BASE + path, {
    method,
    headers: body === undefined || isForm ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? null : isForm ? body : JSON.stringify(body),
  }).catch(() => {
    throw new Refusal("连不上沙箱");
  });
  const answer = (await response.json().catch(() => ({}))) as { error?: string };
  if (!response.ok) throw new Refusal(answer.error ?? `沙箱答复 ${response.status}`);
  return answer as T;
}

const get = <T>(path: string) => call<T>("GET", path);
const post = <T>(path: string, body: unknown = {}) => call<T>("POST", path, body);

export const fileUrl = (relative: string | undefined): string => (relative ? BASE + relative : "");

export const people = () => get<People>("people");
export const addCustomer = (name: string, organisation: string) => post<Customer>("customers", { name, organisation });

export const customerPath = (customer: string, kfid: string) => `customers/${customer}/threads/${kfid}`;
export const servicerPath = (userid: string, thread: Pick<Thread, "open_kfid" | "external_userid">) =>
  `servicers/${userid}/threads/${thread.open_kfid}/${thread.external_userid}`;

/** A chat seen by either side; `path` comes from customerPath or servicerPath. */
export const chat = (path: string, before?: number) => get<Chat>(`${path}?limit=60${before ? `&before=${before}` : ""}`);
export const act = (path: string, deed: string, body: unknown = {}) =>
  post<{ entry?: Entry; thread?: Thread }>(`${path}/${deed}`, body);

export function send(path: string, file: File): Promise<{ entry: Entry }> {
  const body = new FormData();
  body.set("media", file, file.name);
  const kind = /^(image|video)\//.exec(file.type)?.[1] ?? (file.type === "audio/amr" ? "voice" : "file");
  return post(`${path}/upload?type=${kind}`, body);
}

export const openLink = (customer: string, url: string) =>
  post<{ open_kfid: string }>(`customers/${customer}/open`, { url });

export const client = (userid: string) => get<Client>(`servicers/${userid}`);
export const setStatus = (userid: string, status: string) => post<Client>(`servicers/${userid}/status`, { status });
export const appChat = (userid: string) => get<AppChat>(`servicers/${userid}/app`);
export const appPath = (userid: string) => `servicers/${userid}/app`;

export const faults = () => get<{ faults: Fault[] }>("faults");
export const addFault = (fault: Fault) => post<Fault>("faults", fault);
export const removeFault = (id: string) => call<unknown>("DELETE", `faults/${id}`);
export const expireTokens = () => post<unknown>("tokens/expire");
export const clock = () => get<{ now: number; offset: number }>("clock");
export const advance = (seconds: number) => post<{ now: number; offset: number }>("clock/advance", { seconds });
export const counters = () => get<Counters>("counters");
