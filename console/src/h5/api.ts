/** What customers' pages ask: no login, the signed token in the address is the permission. */
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type TicketPageView = Schemas["TicketPage"];
export type Prompt = Schemas["RegistrationPrompt"];
export type Place = Schemas["InstitutionHit"];

/** A refusal in the server's own words. */
export class Refused extends Error {}

async function call<T>(method: string, path: string, fallback: string, body?: unknown): Promise<T> {
  const headers = { "Content-Type": "application/json", "Accept-Language": navigator.language };
  const response = await fetch(`/api/v1/h5/${path}`, { method, headers, body: body === undefined ? null : JSON.stringify(body) }).catch(() => null);
  const answer: unknown = await response?.json().catch(() => null);
  if (response?.ok) return answer as T;
  throw new Refused((answer as { title?: string } | null)?.title ?? fallback);
}

export function ticketApi(token: string, fallback: string) {
  const at = `tickets/${encodeURIComponent(token)}`;
  return {
    open: () => call<TicketPageView>("GET", at, fallback),
    reply: (text: string) => call<TicketPageView>("POST", `${at}/replies`, fallback, { text }),
    act: (action: string, text: string) => call<TicketPageView>("POST", `${at}/actions`, fallback, { action, text }),
    rate: (score: number, comment: string) => call<TicketPageView>("POST", `${at}/rating`, fallback, { score, comment }),
  };
}

export function registrationApi(token: string, fallback: string) {
  const at = `registrations/${encodeURIComponent(token)}`;
  return {
    open: () => call<Prompt>("POST", at, fallback, {}),
    answer: (text: string) => call<Prompt>("POST", `${at}/answers`, fallback, { text }),
    back: () => call<Prompt>("POST", `${at}/back`, fallback, {}),
    places: (q: string) => call<{ items: Place[] }>("GET", `${at}/institutions?q=${encodeURIComponent(q)}`, fallback),
  };
}
