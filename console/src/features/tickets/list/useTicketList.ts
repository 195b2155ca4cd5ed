import { computed, onScopeDispose, reactive, ref, watch } from "vue";

import type { TicketView } from "@/api/cases";
import { tickets } from "@/api/tickets";
import type { Event } from "@/api/types";
import { useList } from "@/shared/composables/useList";
import { useLive } from "@/stores/live";

import { everything, toServer, type TicketQuery } from "./query";

const PAUSE_MS = 250;

/** A page of tickets that follows its filters and the events. */
export function useTicketList() {
  const query = reactive<TicketQuery>(everything());
  /** Tickets opened since the list was fetched. */
  const fresh = ref(0);
  const server = computed(() => toServer(query));
  const list = useList<TicketView>((cursor) => tickets({ ...server.value, cursor }));

  async function reload(): Promise<void> {
    fresh.value = 0;
    await list.reload();
  }

  function show(next: TicketQuery): void {
    Object.assign(query, structuredClone(next));
  }

  let pause: ReturnType<typeof setTimeout> | undefined;
  watch(server, () => {
    clearTimeout(pause);
    pause = setTimeout(() => void reload(), PAUSE_MS);
  });
  const stop = useLive().listen((event) => {
    if (event.type === "ticket.opened") fresh.value += 1;
    else list.items.value = withTicket(list.items.value, event);
  });
  onScopeDispose(() => {
    clearTimeout(pause);
    stop();
  });

  return { query, server, list, fresh, reload, show };
}

/** The rows after an event; the same array when it concerns none of them. */
export function withTicket(rows: TicketView[], event: Event): TicketView[] {
  if (!("ticket" in event)) return rows;
  const ticket = event.ticket as TicketView;
  const index = rows.findIndex((row) => row.id === ticket.id);
  const known = rows[index];
  if (!known || known.version > ticket.version) return rows;
  return rows.with(index, ticket);
}
