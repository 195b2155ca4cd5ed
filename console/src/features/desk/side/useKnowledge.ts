/** Suggestions that follow the customer's words, or the hits of a search when there is one. */
import { computed, ref, shallowRef, watch, type Ref } from "vue";

import { searchArticles } from "@/api/knowledge";
import { ApiError } from "@/api/problem";
import { suggestions } from "@/api/sessions";
import type { FoundArticle, SessionView } from "@/api/types";
import { latest } from "@/shared/latest";
import { useRevisions } from "@/stores/alarms";
import { useMessages } from "@/stores/messages";

const PAUSE_MS = 250;
/** Suggestions that are hardly ever right only distract; a search shows all it finds. */
const WORTH_SHOWING = 0.05;

export function useKnowledge(session: () => SessionView, query: Readonly<Ref<string>>) {
  const messages = useMessages();
  const revisions = useRevisions();
  const hits = shallowRef<readonly FoundArticle[]>([]);
  const isLoading = ref(false);
  const error = ref("");
  const isSearch = computed(() => query.value.trim() !== "");
  const begin = latest();
  let pause: ReturnType<typeof setTimeout> | undefined;

  const lastWords = computed(() => {
    const lines = messages.threads[session().conversation_id] ?? [];
    return lines.findLast((line) => line.sender === "customer")?.id ?? "";
  });

  async function reload(): Promise<void> {
    const isLatest = begin();
    isLoading.value = true;
    error.value = "";
    try {
      const words = query.value.trim();
      const { items } = words ? await searchArticles(words) : await suggestions(session().id);
      if (isLatest()) hits.value = words ? items : items.filter((hit) => hit.score >= WORTH_SHOWING);
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (isLatest()) error.value = reason.message;
    } finally {
      if (isLatest()) isLoading.value = false;
    }
  }

  function soon(): void {
    clearTimeout(pause);
    pause = setTimeout(() => void reload(), PAUSE_MS);
  }

  watch(query, soon);
  watch([lastWords, () => revisions.counts.articles], () => !isSearch.value && soon());
  void reload();

  return { hits, isLoading, error, isSearch, reload };
}
