/** What may be done with a session, and why not: pure. */
import type { MessageView, ServicerView, SessionView } from "@/api/types";

export type Block = "native" | "queued" | "bot" | "other" | "closed" | "nobody";

/** Why this servicer may not write here; null when writing is allowed. */
export function writingBlock(session: SessionView, servicer: ServicerView | null): Block | null {
  if (session.state === "closed") return "closed";
  if (session.mode === "native") return "native";
  if (!servicer) return "nobody";
  if (session.state === "queued") return "queued";
  if (session.state !== "serving") return "bot";
  return session.servicer_id === servicer.id ? null : "other";
}

/** Who may tag a session and write down what it was about. */
export const maySumUp = (session: SessionView, servicer: ServicerView | null, isSupervisor: boolean): boolean =>
  isSupervisor || (servicer !== null && session.servicer_id === servicer.id);

export const canClaim = (session: SessionView, servicer: ServicerView | null): boolean =>
  servicer !== null && session.mode === "console" && ["new", "bot", "queued"].includes(session.state);

/** The platform takes a message back for two minutes. */
export const RECALL_MS = 120_000;

export function canRecall(message: MessageView, servicer: ServicerView | null, now: number): boolean {
  return (
    message.sender === "servicer" &&
    message.servicer_id !== null &&
    message.servicer_id === servicer?.id &&
    message.recalled_at === null &&
    message.delivery === "sent" &&
    now - new Date(message.sent_at).getTime() < RECALL_MS
  );
}

/** Most that may be sent after a customer's message. Source: developer.work.weixin.qq.com/document/path/94677 */
export const WINDOW_SIZE = 5;

export type WindowLevel = "open" | "soon" | "last" | "closed";

/** last: few messages are left. soon: little time is left. */
export function windowLevel(session: SessionView, now: number): WindowLevel {
  const { left, until, warn_left, warn_at } = session.window;
  if (left === 0 || (until !== null && new Date(until).getTime() <= now)) return "closed";
  if (left !== null && left <= Math.max(1, warn_left ?? 0)) return "last";
  return warn_at && new Date(warn_at).getTime() <= now ? "soon" : "open";
}
