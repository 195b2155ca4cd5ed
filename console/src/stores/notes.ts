import { defineStore } from "pinia";
import { shallowRef } from "vue";

import * as api from "@/api/sessions";
import type { RatingView, SessionView } from "@/api/types";
import { withNote, type World } from "@/events/apply";

export const useNotes = defineStore("notes", () => {
  /** By conversation. */
  const rows = shallowRef<World["notes"]>({});

  async function load(session: SessionView): Promise<void> {
    const page = await api.notes(session.id);
    for (const note of page.items) rows.value = withNote(rows.value, note);
  }

  async function add(session: SessionView, text: string): Promise<void> {
    rows.value = withNote(rows.value, await api.addNote(session.id, text));
  }

  return { rows, load, add };
});

export const useRatings = defineStore("ratings", () => {
  /** By session: what events told, and what was read for rated sessions. */
  const rows = shallowRef<Readonly<Record<string, RatingView>>>({});

  async function load(session: SessionView): Promise<void> {
    if (!session.rating_score || rows.value[session.id]) return;
    rows.value = { ...rows.value, [session.id]: await api.rating(session.id) };
  }

  return { rows, load };
});
