/** Fetches what the active session shows, marks it as read, and again after a gap in the events. */
import { ref, watch, type Ref } from "vue";

import { ApiError } from "@/api/problem";
import { markRead } from "@/api/sessions";
import { UNSENT_SEQ } from "@/events/thread";
import { useCustomers } from "@/stores/customers";
import { useLive } from "@/stores/live";
import { useMessages } from "@/stores/messages";
import { useNotes, useRatings } from "@/stores/notes";
import { useSessions } from "@/stores/sessions";

export function useOpening(id: Readonly<Ref<string>>) {
  const sessions = useSessions();
  const messages = useMessages();
  const notes = useNotes();
  const ratings = useRatings();
  const customers = useCustomers();
  const live = useLive();
  const isLoading = ref(false);
  const error = ref("");

  async function open(): Promise<void> {
    const wanted = id.value;
    if (!wanted) return;
    sessions.clearUnread(wanted);
    error.value = "";
    isLoading.value = true;
    try {
      const session = sessions.rows[wanted] ?? (await sessions.fetchOne(wanted));
      await Promise.all([messages.load(session), notes.load(session), ratings.load(session), customers.fetchOne(session.customer_id)]);
      tellRead(lastSeq());
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (wanted === id.value) error.value = reason.message;
    } finally {
      if (wanted === id.value) isLoading.value = false;
    }
  }

  const lastSeq = (): number => {
    const session = sessions.rows[id.value];
    const lines = session ? (messages.threads[session.conversation_id] ?? []) : [];
    return lines.findLast((line) => line.seq !== UNSENT_SEQ)?.seq ?? 0;
  };
  const tellRead = (seq: number): void => {
    if (seq > 0 && document.hasFocus()) void markRead(id.value, seq).catch(() => undefined);
  };
  watch(lastSeq, tellRead);
  watch(id, open, { immediate: true });
  watch(() => live.gaps, open);

  return { isLoading, error, open };
}
