import { defineStore } from "pinia";
import { shallowRef } from "vue";

import { EMPTY, type Alarm, type World } from "@/events/apply";

export const useAlarms = defineStore("alarms", () => {
  const rows = shallowRef<readonly Alarm[]>([]);
  const dismiss = (alarm: Alarm): void => {
    rows.value = rows.value.filter((row) => row !== alarm);
  };
  return { rows, dismiss };
});

/** Counters that lists fetched page by page watch, to know when they are stale. */
export const useRevisions = defineStore("revisions", () => {
  const counts = shallowRef<World["revisions"]>(EMPTY.revisions);
  return { counts };
});
