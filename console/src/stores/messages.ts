import { defineStore } from "pinia";
import { shallowRef } from "vue";

import { newKey } from "@/api/http";
import { ApiError } from "@/api/problem";
import * as api from "@/api/sessions";
import type { Content, MessageView, SessionView } from "@/api/types";
import type { World } from "@/events/apply";
import { amend, merge, UNSENT_SEQ } from "@/events/thread";

const PAGE = 50;
const LARGE_PAGE = 200;
/** Large pages to go back for one line. */
const FARTHEST = 50;

export const useMessages = defineStore("messages", () => {
  /** By conversation. */
  const threads = shallowRef<World["threads"]>({});
  const hasOlder = shallowRef<Readonly<Record<string, boolean>>>({});

  function put(conversation: string, lines: readonly MessageView[]): void {
    const merged = merge(threads.value[conversation] ?? [], lines);
    threads.value = { ...threads.value, [conversation]: merged };
  }

  function change(conversation: string, id: string, by: (line: MessageView) => MessageView): void {
    const lines = threads.value[conversation];
    if (lines) threads.value = { ...threads.value, [conversation]: amend(lines, id, by) };
  }

  async function load(session: SessionView): Promise<void> {
    const page = await api.messages(session.id, { limit: PAGE });
    const known = threads.value[session.conversation_id] ?? [];
    const oldest = page.items[0]?.seq ?? 0;
    const isOverlapping = known.some((line) => line.seq >= oldest && line.seq !== UNSENT_SEQ);
    const kept = isOverlapping ? known : known.filter((line) => line.seq === UNSENT_SEQ);
    threads.value = { ...threads.value, [session.conversation_id]: merge(kept, page.items) };
    if (!isOverlapping) setOlder(session.conversation_id, page.has_more);
  }

  async function loadOlder(session: SessionView, limit = PAGE): Promise<void> {
    const first = threads.value[session.conversation_id]?.[0];
    if (!first || first.seq === UNSENT_SEQ) return;
    const page = await api.messages(session.id, { before_seq: first.seq, limit });
    put(session.conversation_id, page.items);
    setOlder(session.conversation_id, page.has_more);
  }

  /** Fetch back to a line, unless it is very far. */
  async function reach(session: SessionView, seq: number): Promise<void> {
    const conversation = session.conversation_id;
    for (let turn = 0; turn < FARTHEST; turn += 1) {
      const first = threads.value[conversation]?.[0];
      if (!first || first.seq <= seq || !hasOlder.value[conversation]) return;
      await loadOlder(session, LARGE_PAGE);
    }
  }

  /** Did it go to the customer in one message with other lines? */
  function isShared(message: MessageView): boolean {
    const lines = threads.value[message.conversation_id] ?? [];
    return Boolean(message.joined_to) || lines.some((line) => line.joined_to === message.id);
  }

  function setOlder(conversation: string, has: boolean): void {
    hasOlder.value = { ...hasOlder.value, [conversation]: has };
  }

  /** Shown at once, then replaced by what the server made of it (long text becomes several lines). */
  async function send(session: SessionView, content: Content, extra: SendExtra = {}): Promise<void> {
    const line = optimistic(session, content, extra.articleId);
    put(session.conversation_id, [line]);
    await deliver(session, line, extra.isHeld ?? false);
  }

  /** Once more, under the same client id, so that it cannot appear twice. */
  async function resend(session: SessionView, line: MessageView, isHeld: boolean): Promise<void> {
    change(session.conversation_id, line.id, (known) => ({ ...known, delivery: "pending", failure: "" }));
    await deliver(session, line, isHeld);
  }

  async function deliver(session: SessionView, line: MessageView, isHeld: boolean): Promise<void> {
    const article = line.source?.["article_id"];
    try {
      const sent = await api.send(session.id, {
        content: line.content,
        client_id: line.id,
        ...(article ? { source: { article_id: article } } : {}),
        ...(isHeld ? { hold_if_closed: true } : {}),
      });
      put(session.conversation_id, sent);
      drop(session.conversation_id, line.id);
    } catch (reason) {
      const failure = reason instanceof ApiError ? reason.code : "unknown";
      change(session.conversation_id, line.id, (known) => ({ ...known, delivery: "failed", failure }));
      throw reason;
    }
  }

  function drop(conversation: string, id: string): void {
    const lines = threads.value[conversation] ?? [];
    threads.value = { ...threads.value, [conversation]: lines.filter((line) => line.id !== id) };
  }

  async function recall(session: SessionView, id: string): Promise<void> {
    put(session.conversation_id, [await api.recall(session.id, id)]);
  }

  return { threads, hasOlder, load, loadOlder, reach, isShared, send, resend, drop, recall };
});

export interface SendExtra {
  articleId?: string | undefined;
  isHeld?: boolean | undefined;
}

function optimistic(session: SessionView, content: Content, articleId: string | undefined): MessageView {
  const id = newKey();
  return {
    id,
    client_id: id,
    seq: UNSENT_SEQ,
    conversation_id: session.conversation_id,
    session_id: session.id,
    sender: "servicer",
    servicer_id: session.servicer_id,
    servicer_name: session.servicer_name,
    content,
    sent_at: new Date().toISOString(),
    delivery: "pending",
    failure: "",
    recalled_at: null,
    source: articleId ? { article_id: articleId } : {},
    joined_to: null,
  };
}
