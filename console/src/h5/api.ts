/** What customers' pages ask: no login, the signed token in the address is the permission. */
import type { components } from "@/api/schema";

type Schemas = components["schemas"];
export type TicketPageView = Schemas["TicketPage"];
export type NewTicketForm = Schemas["NewTicketForm"];
export type SentFile = Schemas["SentFile"];
export type FieldValue = string | number | boolean | null;
export type Prompt = Schemas["RegistrationPrompt"];
export type Place = Schemas["InstitutionHit"];

/** A refusal in the server's own words. */
export class Refused extends Error {}

async function call<T>(method: string, path: string, fallback: string, body?: unknown): Promise<T> {
  const isFile = body instanceof FormData;
  const headers: Record<string, string> = { Accept: "application/json", "Accept-Language": navigator.language };
  if (!isFile) headers["Content-Type"] = "application/json";
  const sent = body === undefined ? null : isFile ? body : JSON.stringify(body);
  const response = await fetch(`/api/v1/h5/${path}`, { method, headers, body: sent }).catch(() => null);
  const answer: unknown = await response?.json().catch(() => null);
  if (response?.ok) return answer as T;
  throw new Refused((answer as { title?: string } | null)?.title ?? fallback);
}

/** One picture or file; what comes back goes with the reply or the form. */
function sendFile(at: string, fallback: string, file: File): Promise<SentFile> {
  const form = new FormData();
  form.append("file", file, file.name);
  return call<SentFile>("POST", `${at}/files`, fallback, form);
}

export function ticketApi(token: string, fallback: string) {
  const at = `tickets/${encodeURIComponent(token)}`;
  return {
    open: () => call<TicketPageView>("GET", at, fallback),
    reply: (text: string, files: string[]) => call<TicketPageView>("POST", `${at}/replies`, fallback, { text, files }),
    send: (file: File) => sendFile(at, fallback, file),
    fileUrl: (id: string) => `/api/v1/h5/${at}/files/${id}`,
    act: (action: string, text: string) => call<TicketPageView>("POST", `${at}/actions`, fallback, { action, text }),
    consent: (id: string, agrees: boolean) => call<TicketPageView>("POST", `${at}/consents/${id}`, fallback, { agrees }),
    rate: (score: number, comment: string) => call<TicketPageView>("POST", `${at}/rating`, fallback, { score, comment }),
  };
}

export interface NewTicket {
  text: string;
  category_id: string | null;
  fields: Record<string, FieldValue>;
  files: string[];
}

export function newTicketApi(token: string, fallback: string) {
  const at = `new-tickets/${encodeURIComponent(token)}`;
  return {
    open: () => call<NewTicketForm>("GET", at, fallback),
    send: (file: File) => sendFile(at, fallback, file),
    submit: (form: NewTicket) => call<{ number: string; token: string }>("POST", at, fallback, form),
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
