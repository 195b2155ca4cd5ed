import { defineStore } from "pinia";
import { ref } from "vue";

import { accessToken, BASE, refresh as refreshToken } from "@/api/http";
import { readTokens } from "@/api/tokens";
import type { Event } from "@/api/types";
import { apply, type World } from "@/events/apply";
import { EventSocket, type LinkState } from "@/events/socket";

import { useAlarms, useRevisions } from "./alarms";
import { useCustomers } from "./customers";
import { useMessages } from "./messages";
import { useNotes, useRatings } from "./notes";
import { useServicers } from "./servicers";
import { useSessions } from "./sessions";

/** The one place where events meet the stores. */
export const useLive = defineStore("live", () => {
  const state = ref<LinkState>("closed");
  /** Counts up whenever everything had to be fetched again. */
  const gaps = ref(0);
  const sessions = useSessions();
  const messages = useMessages();
  const notes = useNotes();
  const ratings = useRatings();
  const servicers = useServicers();
  const customers = useCustomers();
  const alarms = useAlarms();
  const revisions = useRevisions();
  const listeners = new Set<(event: Event) => void>();

  const read = (): World => ({
    sessions: sessions.rows,
    threads: messages.threads,
    notes: notes.rows,
    ratings: ratings.rows,
    servicers: servicers.rows,
    customers: customers.rows,
    alarms: alarms.rows,
    revisions: revisions.counts,
  });

  function write(world: World): void {
    sessions.rows = world.sessions;
    messages.threads = world.threads;
    notes.rows = world.notes;
    ratings.rows = world.ratings;
    servicers.rows = world.servicers;
    customers.rows = world.customers;
    alarms.rows = world.alarms;
    revisions.counts = world.revisions;
  }

  function take(event: Event): void {
    write(apply(read(), event));
    for (const listener of listeners) listener(event);
  }

  async function fetchAll(): Promise<void> {
    await Promise.allSettled([sessions.refresh(), servicers.refresh(), sessions.refreshDashboard()]);
    gaps.value += 1;
  }

  const socket = new EventSocket({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${BASE}/ws`,
    token: (isStale) => (isStale ? refreshToken(readTokens()?.access_token ?? "") : accessToken()),
    onEvent: take,
    onGap: () => void fetchAll(),
    onState: (next) => {
      state.value = next;
    },
  });

  /** For effects beside the state (sounds, notices); returns how to stop listening. */
  function listen(listener: (event: Event) => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  return {
    state,
    gaps,
    take,
    listen,
    start: () => socket.start(),
    stop: () => socket.stop(),
    hurry: () => socket.hurry(),
    drop: () => socket.drop(),
  };
});
