import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";

import type { TicketEntryView } from "@/api/cases";
import { ApiError } from "@/api/problem";
import { ticket as fetchTicket, ticketEntries, type TicketDetail } from "@/api/tickets";
import { latest } from "@/shared/latest";
import { useLive } from "@/stores/live";

/** One ticket with all that its page shows; events about it fetch it again. */
export function useTicket(id: Ref<string>) {
  const detail = shallowRef<TicketDetail | null>(null);
  const entries = shallowRef<readonly TicketEntryView[]>([]);
  const error = ref("");
  const begin = latest();

  async function load(): Promise<void> {
    const isLatest = begin();
    error.value = "";
    try {
      const [found, lines] = await Promise.all([fetchTicket(id.value), allEntries(id.value)]);
      if (!isLatest()) return;
      detail.value = found;
      entries.value = lines;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (isLatest()) error.value = reason.message;
    }
  }

  watch(
    id,
    () => {
      detail.value = null;
      void load();
    },
    { immediate: true },
  );
  const live = useLive();
  watch(() => live.gaps, load);
  const stop = live.listen((event) => {
    if ("ticket" in event && event.ticket.id === id.value) void load();
  });
  onScopeDispose(stop);
  return { detail, entries, error, load };
}

async function allEntries(id: string): Promise<TicketEntryView[]> {
  const lines: TicketEntryView[] = [];
  let cursor: string | null = null;
  do {
    const page = await ticketEntries(id, cursor);
    lines.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return lines;
}
