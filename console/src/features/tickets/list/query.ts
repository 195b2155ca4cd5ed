/** What a ticket list shows, as the address bar, a saved list and the server say it. */
import type { Priority, TicketState } from "@/api/cases";
import type { Query } from "@/api/http";
import { fromWallClock } from "@/shared/time";

export const STATES: readonly TicketState[] = ["new", "open", "waiting", "suspended", "resolved", "closed", "cancelled"];
/** States in which work is owed. */
export const UNRESOLVED: readonly TicketState[] = ["new", "open", "waiting", "suspended"];
export const PRIORITIES: readonly Priority[] = ["urgent", "high", "normal", "low"];
export const COLUMNS = [
  "state",
  "priority",
  "customer",
  "institution",
  "category",
  "team",
  "servicer",
  "due",
  "created",
  "updated",
] as const;
export type Column = (typeof COLUMNS)[number];
export const USUAL_COLUMNS: readonly Column[] = ["state", "priority", "customer", "category", "servicer", "due", "created"];

export interface TicketQuery {
  states: TicketState[];
  priorities: Priority[];
  /** "me": whoever looks; "none": nobody yet. */
  servicer: string;
  team_id: string;
  category_id: string;
  is_breached: boolean;
  tag: string;
  /** First and last moment, by the wall clock; none: any day. */
  days: [string, string] | null;
  order: "newest" | "due";
  q: string;
}

export const everything = (): TicketQuery => ({
  states: [],
  priorities: [],
  servicer: "",
  team_id: "",
  category_id: "",
  is_breached: false,
  tag: "",
  days: null,
  order: "newest",
  q: "",
});

/** The lists that everybody has. */
export const PRESETS = {
  mine: { ...everything(), states: [...UNRESOLVED], servicer: "me" },
  unassigned: { ...everything(), states: [...UNRESOLVED], servicer: "none" },
  urgent: { ...everything(), states: [...UNRESOLVED], order: "due" },
  breached: { ...everything(), states: [...UNRESOLVED], is_breached: true },
  open: { ...everything(), states: [...UNRESOLVED] },
  all: everything(),
} satisfies Record<string, TicketQuery>;
export type Preset = keyof typeof PRESETS;

export function toServer(query: TicketQuery): Query {
  return {
    state: query.states.join(","),
    priority: query.priorities.join(","),
    servicer_id: query.servicer === "none" ? "" : query.servicer,
    is_unassigned: query.servicer === "none" ? true : null,
    team_id: query.team_id,
    category_id: query.category_id,
    is_breached: query.is_breached ? true : null,
    tag: query.tag.trim(),
    created_from: query.days ? fromWallClock(query.days[0]) : null,
    created_until: query.days ? fromWallClock(query.days[1]) : null,
    order: query.order,
    q: query.q.trim(),
  };
}

/** A query from what was saved, perhaps by an older page: unknown values are left out. */
export function fromSaved(raw: Readonly<Record<string, unknown>>): TicketQuery {
  const empty = everything();
  const text = (name: string): string => (typeof raw[name] === "string" ? raw[name] : "");
  const words = (name: string): unknown[] => (Array.isArray(raw[name]) ? raw[name] : []);
  return {
    ...empty,
    states: STATES.filter((state) => words("states").includes(state)),
    priorities: PRIORITIES.filter((priority) => words("priorities").includes(priority)),
    servicer: text("servicer"),
    team_id: text("team_id"),
    category_id: text("category_id"),
    is_breached: raw["is_breached"] === true,
    tag: text("tag"),
    days: daysOf(words("days")),
    order: raw["order"] === "due" ? "due" : "newest",
    q: text("q"),
  };
}

const daysOf = ([from, until]: unknown[]): TicketQuery["days"] =>
  typeof from === "string" && typeof until === "string" ? [from, until] : null;

export const knownColumns = (names: readonly string[]): Column[] => COLUMNS.filter((column) => names.includes(column));
