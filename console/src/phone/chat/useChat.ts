/** One chat on a screen: its entries, older ones on demand, and everything that may be done in it. */
import { ref, shallowRef, watch } from "vue";

import * as api from "../api";
import { upsert } from "../entries";
import type { Chat, Entry, Push, Thread } from "../types";

export function useChat(path: () => string, attempt: (work: () => Promise<unknown>) => Promise<void>) {
  const thread = shallowRef<Thread | null>(null);
  const entries = shallowRef<Entry[]>([]);
  const hasMore = ref(false);
  const canWrite = ref(true);
  /** How often the feed has told us something. */
  let told = 0;

  function show(chat: Chat): void {
    thread.value = chat.thread;
    entries.value = chat.entries;
    hasMore.value = chat.has_more;
    canWrite.value = chat.can_write ?? true;
  }

  const isHere = (other: Thread): boolean =>
    other.open_kfid === thread.value?.open_kfid && other.external_userid === thread.value.external_userid;

  function take(push: Push): void {
    told += 1;
    if (push.type === "snapshot" && "thread" in push.view) show(push.view);
    if (push.type !== "thread" || (thread.value && !isHere(push.thread))) return;
    thread.value = push.thread;
    entries.value = upsert(entries.value, push.entries);
  }

  /** An answer that the feed has overtaken knows less than the screen: it is asked for again. */
  const reload = () =>
    attempt(async () => {
      for (;;) {
        const [asked, before] = [path(), told];
        const chat = await api.chat(asked);
        if (asked !== path()) return;
        if (told === before) return show(chat);
      }
    });
  const older = () =>
    attempt(async () => {
      const page = await api.chat(path(), entries.value[0]?.seq);
      entries.value = upsert(entries.value, page.entries);
      hasMore.value = page.has_more;
    });
  const act = (deed: string, body: unknown = {}) =>
    attempt(async () => {
      const answer = await api.act(path(), deed, body);
      if (answer.thread) thread.value = answer.thread;
      if (answer.entry) entries.value = upsert(entries.value, [answer.entry]);
    });
  const upload = (file: File) =>
    attempt(async () => {
      entries.value = upsert(entries.value, [(await api.send(path(), file)).entry]);
    });

  watch(path, reload, { immediate: true });
  return { thread, entries, hasMore, canWrite, take, reload, older, act, upload };
}
