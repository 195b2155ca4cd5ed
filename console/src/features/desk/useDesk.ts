/** What the parts of the desk share: the chosen list, the active session, and what is open over them. */
import { computed, inject, provide, ref, watch, type InjectionKey, type Ref } from "vue";

import type { SessionView } from "@/api/types";
import { useLive } from "@/stores/live";
import { useSessions } from "@/stores/sessions";

import { useActive } from "./useActive";
import { useKeys } from "./useKeys";
import { useOpening } from "./useOpening";
import { useServing } from "./useServing";

export type ListName = "queue" | "mine" | "all";
export type SideTab = "customer" | "knowledge" | "bot";
export type Dialog = "transfer" | "note" | "ticket" | "conclusion";

function makeDesk() {
  const sessions = useSessions();
  const { id, session, line, select } = useActive();
  const list = ref<ListName>("mine");
  const dialog = ref<Dialog | null>(null);
  const isHelpOpen = ref(false);
  const isSearchOpen = ref(false);
  const side = { tab: ref<SideTab>("customer"), query: ref(""), turn: ref(0) };
  const focusTurn = ref(0);
  const serving = useServing();
  const opening = useOpening(id);
  const shown = computed<readonly SessionView[]>(() => {
    return list.value === "queue" ? sessions.queued : list.value === "mine" ? sessions.mine : sessions.all;
  });

  function step(by: 1 | -1): void {
    const rows = shown.value;
    if (rows.length === 0) return;
    const at = rows.findIndex((row) => row.id === id.value);
    const next = rows[at < 0 ? 0 : (at + by + rows.length) % rows.length];
    if (next) select(next.id);
  }

  function showSide(tab: SideTab, query = ""): void {
    side.tab.value = tab;
    side.query.value = query;
    side.turn.value += 1;
  }

  return {
    id,
    session,
    line,
    select,
    list,
    shown,
    dialog,
    isHelpOpen,
    isSearchOpen,
    side,
    showSide,
    focusTurn: focusTurn as Ref<number>,
    step,
    serving,
    opening,
  };
}

export type Desk = ReturnType<typeof makeDesk>;

const DESK: InjectionKey<Desk> = Symbol("desk");

export function provideDesk(): Desk {
  const desk = makeDesk();
  provide(DESK, desk);
  useKeys(desk);
  showWhereWorkIs(desk);
  return desk;
}

export function useDesk(): Desk {
  const desk = inject(DESK);
  if (!desk) throw new Error("no desk around this component");
  return desk;
}

/** On arrival, the list that has something to do. */
function showWhereWorkIs(desk: Desk): void {
  const sessions = useSessions();
  const live = useLive();
  const settle = (): void => {
    if (sessions.mine.length === 0) desk.list.value = sessions.queued.length ? "queue" : "mine";
  };
  if (live.gaps > 0) settle();
  else watch(() => live.gaps, settle, { once: true });
  watch(
    () => sessions.queued.length,
    (length) => {
      if (length === 0 && desk.list.value === "queue" && sessions.mine.length) desk.list.value = "mine";
    },
  );
}
