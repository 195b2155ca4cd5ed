import type { TicketView } from "@/api/cases";
import { ApiError } from "@/api/problem";

export interface Clash {
  /** The ticket as somebody else left it. */
  current: TicketView;
  /** What was to be saved here. */
  yours: Readonly<Record<string, unknown>>;
}

/** Both versions, when the refusal says that somebody was faster. */
export function clashOf(reason: unknown): Clash | null {
  if (!(reason instanceof ApiError) || reason.status !== 409) return null;
  const { current, yours } = reason.facts;
  if (typeof current !== "object" || current === null || typeof yours !== "object" || yours === null) return null;
  return { current: current as TicketView, yours: yours as Record<string, unknown> };
}

export interface Difference {
  field: string;
  theirs: string;
  mine: string;
}

const said = (value: unknown): string => {
  if (value === null || value === undefined || value === "") return "—";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

/** Field by field, only where the two say something else. */
export function differences(clash: Clash): Difference[] {
  const current = clash.current as unknown as Record<string, unknown>;
  return Object.entries(clash.yours)
    .map(([field, mine]) => ({ field, theirs: said(current[field]), mine: said(mine) }))
    .filter((row) => row.theirs !== row.mine);
}
