import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import * as api from "@/api/sessions";
import type { DashboardView, SessionView } from "@/api/types";
import { refetched, withSession, type World } from "@/events/apply";

import { useAuth } from "./auth";

export const useSessions = defineStore("sessions", () => {
  const rows = shallowRef<World["sessions"]>({});
  /** Customer lines not yet looked at, by session. */
  const unread = shallowRef<Readonly<Record<string, number>>>({});
  const dashboard = shallowRef<DashboardView | null>(null);
  const isLoading = ref(false);
  const error = ref("");
  const auth = useAuth();

  const open = computed(() => Object.values(rows.value).filter((row) => row.state !== "closed"));
  const queued = computed(() => open.value.filter((row) => row.state === "queued").sort(byQueue));
  const mine = computed(() => {
    const own = auth.servicer?.id;
    return open.value.filter((row) => row.state === "serving" && row.servicer_id === own).sort(byUrgency);
  });
  const all = computed(() => Object.values(rows.value).sort(byRecency));

  const put = (session: SessionView): void => {
    rows.value = withSession(rows.value, session);
  };

  /** The server's lists in place of ours, after signing in and after a gap in the events. */
  async function refresh(): Promise<void> {
    isLoading.value = true;
    error.value = "";
    const before = { rows: rows.value, unread: unread.value };
    try {
      const [openPage, latest, marks] = await Promise.all([
        api.sessions({ view: "open", limit: 200 }),
        api.sessions({ view: "all", limit: 50 }),
        api.readMarks(),
      ]);
      const fetched = [...latest.items, ...openPage.items];
      rows.value = refetched(fetched, before.rows, rows.value, withSession);
      const since = new Map(marks.items.map((mark) => [mark.conversation_id, mark.unread ?? 0]));
      const heard = Object.entries(unread.value).filter(([id, count]) => count !== before.unread[id]);
      unread.value = Object.fromEntries([
        ...openPage.items.map((row) => [row.id, since.get(row.conversation_id) ?? 0] as const),
        ...heard,
      ]);
    } catch (reason) {
      error.value = (reason as Error).message;
    } finally {
      isLoading.value = false;
    }
  }

  async function fetchOne(id: string): Promise<SessionView> {
    const session = await api.session(id);
    put(session);
    return session;
  }

  async function refreshDashboard(): Promise<void> {
    dashboard.value = await api.dashboard();
  }

  function countUnread(id: string): void {
    unread.value = { ...unread.value, [id]: (unread.value[id] ?? 0) + 1 };
  }

  function clearUnread(id: string): void {
    if (unread.value[id]) unread.value = { ...unread.value, [id]: 0 };
  }

  const unreadTotal = computed(() => mine.value.reduce((sum, row) => sum + (unread.value[row.id] ?? 0), 0));

  return {
    rows,
    unread,
    unreadTotal,
    dashboard,
    isLoading,
    error,
    queued,
    mine,
    all,
    put,
    refresh,
    refreshDashboard,
    fetchOne,
    countUnread,
    clearUnread,
  };
});

function byQueue(a: SessionView, b: SessionView): number {
  return (a.queued_at ?? a.opened_at).localeCompare(b.queued_at ?? b.opened_at);
}

/** Who waits longest comes first; those answered follow, latest first. */
function byUrgency(a: SessionView, b: SessionView): number {
  if (a.waiting_since && b.waiting_since) return a.waiting_since.localeCompare(b.waiting_since);
  if (a.waiting_since) return -1;
  if (b.waiting_since) return 1;
  return byRecency(a, b);
}

function byRecency(a: SessionView, b: SessionView): number {
  return (b.last_message_at ?? b.opened_at).localeCompare(a.last_message_at ?? a.opened_at);
}
