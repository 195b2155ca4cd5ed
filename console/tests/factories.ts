import type { CustomerView, MessageView, NoteView, RatingView, ServicerView, SessionView } from "@/api/types";

let count = 0;
const next = (): number => (count += 1);

export function aSession(facts: Partial<SessionView> = {}): SessionView {
  return {
    id: `s${next()}`,
    conversation_id: "conversation",
    account_id: "account",
    account_name: "疾控产品支持",
    customer_id: "customer",
    customer_name: "王建国",
    customer_avatar_url: "",
    institution_name: "云岭县疾控中心",
    state: "serving",
    mode: "console",
    servicer_id: "chenjing",
    servicer_name: "陈静",
    team_id: null,
    opened_at: "2026-03-01T01:00:00Z",
    queued_at: null,
    assigned_at: null,
    first_response_at: null,
    closed_at: null,
    close_reason: "",
    waiting_since: null,
    last_customer_text: "",
    last_message_at: null,
    topic: "",
    handoff_reason: "",
    assigned_because: "",
    window: { left: 5, until: "2026-03-03T01:00:00Z", warn_left: 1, warn_at: "2026-03-02T23:00:00Z" },
    rating_score: null,
    summary: "",
    category_id: null,
    category_name: "",
    tags: [],
    version: 1,
    ...facts,
  };
}

export function aMessage(facts: Partial<MessageView> = {}): MessageView {
  const seq = next();
  return {
    id: `m${seq}`,
    seq,
    conversation_id: "conversation",
    session_id: "session",
    sender: "customer",
    servicer_id: null,
    servicer_name: "",
    content: { type: "text", text: "登录不上" },
    sent_at: new Date(Date.UTC(2026, 2, 1, 1, 0, seq % 60)).toISOString(),
    delivery: "received",
    failure: "",
    recalled_at: null,
    client_id: null,
    source: {},
    joined_to: null,
    ...facts,
  };
}

export function aServicer(facts: Partial<ServicerView> = {}): ServicerView {
  return {
    id: "chenjing",
    user_id: "u1",
    name: "陈静",
    wecom_userid: "chenjing",
    presence: "online",
    capacity: 5,
    open_sessions: 0,
    keeps_until: null,
    version: 1,
    ...facts,
  };
}

export function aNote(facts: Partial<NoteView> = {}): NoteView {
  return {
    id: `n${next()}`,
    conversation_id: "conversation",
    session_id: "session",
    author_id: "u1",
    author_name: "陈静",
    text: "老客户",
    created_at: "2026-03-01T01:00:30Z",
    ...facts,
  };
}

export function aRating(facts: Partial<RatingView> = {}): RatingView {
  return {
    id: `r${next()}`,
    session_id: "session",
    customer_id: "customer",
    servicer_id: "chenjing",
    score: null,
    reasons: [],
    comment: "",
    requested_at: "2026-03-01T02:00:00Z",
    rated_at: null,
    ...facts,
  };
}

export function aCustomer(facts: Partial<CustomerView> = {}): CustomerView {
  return {
    id: "customer",
    name: "王建国",
    avatar_url: "",
    is_temporary: false,
    institution_id: null,
    institution_name: "",
    phone_masked: "",
    note: "",
    tags: [],
    created_at: "2026-03-01T01:00:00Z",
    version: 1,
    ...facts,
  };
}

/** A promise that the test settles. */
export function deferred<T>() {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, settle };
}
