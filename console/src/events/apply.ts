/** What an event changes: pure, state × event → state, sharing whatever did not change. */
import type {
  CustomerView,
  Event,
  MessageView,
  NoteView,
  RatingView,
  ServicerView,
  SessionView,
} from "@/api/types";

import { amend, merge } from "./thread";

type ById<T> = Readonly<Record<string, T>>;

export interface Alarm {
  code: string;
  session_id: string | null;
  facts: ById<string>;
}

export interface World {
  sessions: ById<SessionView>;
  /** By conversation; only those that were opened here. */
  threads: ById<readonly MessageView[]>;
  /** By conversation. */
  notes: ById<readonly NoteView[]>;
  /** By session. */
  ratings: ById<RatingView>;
  servicers: ById<ServicerView>;
  customers: ById<CustomerView>;
  alarms: readonly Alarm[];
  /** Counts up when a list that is fetched page by page has become stale. */
  revisions: { articles: number; settings: number; audit: number; tickets: number; decisions: ById<number> };
}

export const EMPTY: World = {
  sessions: {},
  threads: {},
  notes: {},
  ratings: {},
  servicers: {},
  customers: {},
  alarms: [],
  revisions: { articles: 0, settings: 0, audit: 0, tickets: 0, decisions: {} },
};

const ALARMS_KEPT = 50;

export function apply(world: World, event: Event): World {
  switch (event.type) {
    case "session.opened":
    case "session.handed_off":
    case "session.assigned":
    case "session.requeued":
    case "session.closed":
    case "session.updated":
      return { ...world, sessions: withSession(world.sessions, event.session) };
    case "message.added":
      return withMessage(withLastLine(world, event.message), event.message);
    case "message.media_stored":
      return withMessage(world, event.message);
    case "message.delivery_changed":
      return inThread(world, event.conversation_id, event.message_id, (line) => ({
        ...line,
        delivery: event.delivery,
        failure: event.failure ?? "",
        joined_to: event.joined_to ?? line.joined_to,
      }));
    case "message.recalled":
      return inThread(world, event.conversation_id, event.message_id, (line) => ({
        ...line,
        recalled_at: event.recalled_at,
      }));
    case "window.changed":
      return withWindow(world, event);
    case "note.added":
      return { ...world, notes: withNote(world.notes, event.note) };
    case "rating.requested":
    case "rating.given":
    case "rating.explained":
      return withRating(world, event.rating);
    case "servicer.changed":
      return { ...world, servicers: { ...world.servicers, [event.servicer.id]: event.servicer } };
    case "customer.changed":
      return withCustomer(world, event.customer);
    case "question.decided":
      return { ...world, revisions: decided(world.revisions, event.session_id) };
    case "alarm.raised": {
      const alarm = { code: event.code, session_id: event.session_id ?? null, facts: event.facts ?? {} };
      return { ...world, alarms: [alarm, ...world.alarms].slice(0, ALARMS_KEPT) };
    }
    case "article.changed":
      return { ...world, revisions: { ...world.revisions, articles: world.revisions.articles + 1 } };
    case "setting.changed":
      return { ...world, revisions: { ...world.revisions, settings: world.revisions.settings + 1 } };
    case "audit.recorded":
      return { ...world, revisions: { ...world.revisions, audit: world.revisions.audit + 1 } };
    case "ticket.opened":
    case "ticket.moved":
    case "ticket.assigned":
    case "ticket.updated":
    case "ticket.entry_added":
    case "ticket.nudged":
    case "ticket.escalated":
    case "sla.warned":
    case "sla.breached":
    case "follow_up.due":
      return { ...world, revisions: { ...world.revisions, tickets: world.revisions.tickets + 1 } };
    default:
      return unknown(event, world);
  }
}

/** A newer server may send what this page does not know yet: nothing changes. */
function unknown(_event: never, world: World): World {
  return world;
}

/** An older version never overwrites a newer one, whatever road it came by. */
export function withSession(sessions: ById<SessionView>, session: SessionView): ById<SessionView> {
  const known = sessions[session.id];
  return known && known.version > session.version ? sessions : { ...sessions, [session.id]: session };
}

/** A fetched list in place of ours; `put` adds again what events told while it was fetched. */
export function refetched<T extends { id: string }>(
  fetched: readonly T[],
  before: ById<T>,
  now: ById<T>,
  put: (rows: ById<T>, row: T) => ById<T>,
): ById<T> {
  const told = Object.values(now).filter((row) => before[row.id] !== row);
  return told.reduce(put, Object.fromEntries(fetched.map((row) => [row.id, row])));
}

function withMessage(world: World, message: MessageView): World {
  const thread = world.threads[message.conversation_id];
  if (!thread) return world;
  return { ...world, threads: { ...world.threads, [message.conversation_id]: merge(thread, [message]) } };
}

/** The list rows move with the transcript, without waiting for a session event. */
function withLastLine(world: World, message: MessageView): World {
  const session = message.session_id ? world.sessions[message.session_id] : undefined;
  if (!session || (session.last_message_at ?? "") > message.sent_at) return world;
  const isCustomers = message.sender === "customer";
  const isFirst = isCustomers && session.waiting_since === null;
  const isAnswer = message.sender === "servicer" || message.sender === "bot";
  const changed: SessionView = {
    ...session,
    last_message_at: message.sent_at,
    last_customer_text: isCustomers ? preview(message.content) : session.last_customer_text,
    waiting_since: isFirst ? message.sent_at : isAnswer ? null : session.waiting_since,
  };
  return { ...world, sessions: { ...world.sessions, [session.id]: changed } };
}

const MEDIA_WORDS = { image: "[图片]", voice: "[语音]", video: "[视频]", file: "[文件]" } as const;

/** The same words as the server's plain_text, on one line. */
export function preview(content: MessageView["content"]): string {
  switch (content.type) {
    case "text":
      return content.text;
    case "image":
    case "voice":
    case "video":
    case "file":
      return `${MEDIA_WORDS[content.type]}${content.media.name}`;
    case "location":
      return `[位置]${content.name}`;
    case "link":
      return `[链接]${content.title}`;
    case "miniprogram":
      return `[小程序]${content.title}`;
    case "menu":
      return content.head || content.items.map((item) => item.label).join(" ");
    case "card":
      return `[${content.kind}]${content.title}`;
    case "merged":
      return `[聊天记录]${content.title}`;
    case "unsupported":
      return "[暂不支持的消息]";
  }
}

function inThread(world: World, conversation: string, id: string, change: (line: MessageView) => MessageView): World {
  const thread = world.threads[conversation];
  if (!thread) return world;
  return { ...world, threads: { ...world.threads, [conversation]: amend(thread, id, change) } };
}

function withWindow(world: World, event: Extract<Event, { type: "window.changed" }>): World {
  const touched = Object.values(world.sessions).filter((row) => row.conversation_id === event.conversation_id);
  if (touched.length === 0) return world;
  const changed = touched.map((row) => [row.id, { ...row, window: event.window }] as const);
  return { ...world, sessions: { ...world.sessions, ...Object.fromEntries(changed) } };
}

export function withNote(notes: World["notes"], note: NoteView): World["notes"] {
  const known = notes[note.conversation_id] ?? [];
  if (known.some((row) => row.id === note.id)) return notes;
  return { ...notes, [note.conversation_id]: [...known, note] };
}

function withRating(world: World, rating: RatingView): World {
  const ratings = { ...world.ratings, [rating.session_id]: rating };
  const session = world.sessions[rating.session_id];
  if (!session) return { ...world, ratings };
  const rated = { ...session, rating_score: rating.score };
  return { ...world, ratings, sessions: { ...world.sessions, [session.id]: rated } };
}

function withCustomer(world: World, customer: CustomerView): World {
  const rows = Object.values(world.sessions).filter((row) => row.customer_id === customer.id);
  const named = rows.map((row) => {
    const facts = { customer_name: customer.name, institution_name: customer.institution_name };
    return [row.id, { ...row, ...facts }] as const;
  });
  return {
    ...world,
    customers: { ...world.customers, [customer.id]: customer },
    sessions: { ...world.sessions, ...Object.fromEntries(named) },
  };
}

function decided(revisions: World["revisions"], session: string | null): World["revisions"] {
  if (!session) return revisions;
  const decisions = { ...revisions.decisions, [session]: (revisions.decisions[session] ?? 0) + 1 };
  return { ...revisions, decisions };
}
