import { onScopeDispose, reactive, ref, watch, type ComputedRef } from "vue";

import type { TicketState, TicketView } from "@/api/cases";
import type { Query } from "@/api/http";
import { ticketBoard, tickets } from "@/api/tickets";
import type { Event } from "@/api/types";
import { showRefusal } from "@/shared/composables/useTask";
import { latest } from "@/shared/latest";
import { useLive } from "@/stores/live";

export const BOARD_STATES: readonly TicketState[] = ["new", "open", "waiting", "suspended", "resolved"];
const SHOWN = 50;

export type Lanes = Partial<Record<TicketState, TicketView[]>>;

/** A ticket leaves its old lane and comes first in the new one. */
export function moved(lanes: Lanes, ticket: TicketView): Lanes {
  const known = Object.values(lanes).flat().find((row) => row.id === ticket.id);
  if (known && known.version > ticket.version) return lanes;
  const next: Lanes = {};
  for (const state of BOARD_STATES) {
    const lane = lanes[state] ?? [];
    const index = lane.findIndex((row) => row.id === ticket.id);
    if (state !== ticket.state) next[state] = index < 0 ? lane : lane.toSpliced(index, 1);
    else next[state] = index < 0 ? [ticket, ...lane] : lane.with(index, ticket);
  }
  return next;
}

/** Tickets by state, under the same filters as the list. */
export function useBoard(filter: ComputedRef<Query>) {
  const lanes = ref<Lanes>({});
  const counts = reactive<Partial<Record<TicketState, number>>>({});
  const isLoading = ref(false);
  const begin = latest();

  async function load(): Promise<void> {
    const isLatest = begin();
    isLoading.value = true;
    try {
      const pages = BOARD_STATES.map((state) => tickets({ ...filter.value, state, order: "newest", limit: SHOWN }));
      const [found, columns] = await Promise.all([ticketBoard({ ...filter.value, state: "" }), Promise.all(pages)]);
      if (!isLatest()) return;
      lanes.value = Object.fromEntries(BOARD_STATES.map((state, index) => [state, columns[index]?.items ?? []]));
      for (const column of found.items) counts[column.state] = column.count;
    } catch (reason) {
      if (isLatest()) showRefusal(reason);
    } finally {
      if (isLatest()) isLoading.value = false;
    }
  }

  function take(event: Event): void {
    if (!("ticket" in event)) return;
    const ticket = event.ticket as TicketView;
    const isHere = Object.values(lanes.value).flat().some((row) => row.id === ticket.id);
    if (isHere) put(ticket);
  }

  function put(ticket: TicketView): void {
    const before = Object.values(lanes.value).flat().find((row) => row.id === ticket.id)?.state;
    lanes.value = moved(lanes.value, ticket);
    if (!before || before === ticket.state) return;
    counts[before] = Math.max(0, (counts[before] ?? 1) - 1);
    counts[ticket.state] = (counts[ticket.state] ?? 0) + 1;
  }

  let pause: ReturnType<typeof setTimeout> | undefined;
  watch(
    filter,
    () => {
      clearTimeout(pause);
      pause = setTimeout(() => void load(), 250);
    },
    { immediate: true },
  );
  const stop = useLive().listen(take);
  onScopeDispose(() => {
    clearTimeout(pause);
    stop();
  });
  return { lanes, counts, isLoading, load, put };
}
