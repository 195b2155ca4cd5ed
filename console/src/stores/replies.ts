import { defineStore } from "pinia";
import { shallowRef } from "vue";

import * as api from "@/api/administration";
import type { ReplyView } from "@/api/types";

export const useReplies = defineStore("replies", () => {
  const rows = shallowRef<readonly ReplyView[]>([]);

  async function refresh(): Promise<void> {
    rows.value = (await api.replies()).items;
  }

  async function save(draft: api.ReplyDraft, known: ReplyView | null): Promise<void> {
    const saved = known ? await api.changeReply(known.id, { ...draft, version: known.version }) : await api.addReply(draft);
    rows.value = [...rows.value.filter((row) => row.id !== saved.id), saved];
  }

  async function remove(id: string): Promise<void> {
    await api.removeReply(id);
    rows.value = rows.value.filter((row) => row.id !== id);
  }

  return { rows, refresh, save, remove };
});
