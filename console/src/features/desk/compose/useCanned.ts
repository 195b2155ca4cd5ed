/** A line that begins with "/" opens the canned replies, filtered by what follows. */
import { computed, onMounted, ref, watch, type Ref } from "vue";

import type { ReplyView, SessionView } from "@/api/types";
import { useReplies } from "@/stores/replies";

import { filled, matching } from "./canned";

const SHOWN = 8;

export function useCanned(text: Ref<string>, session: () => SessionView) {
  const store = useReplies();
  const at = ref(0);
  const isDismissed = ref(false);
  const isOpen = computed(() => /^\/[^\n]*$/.test(text.value) && !isDismissed.value);
  const rows = computed(() => matching(store.rows, text.value.slice(1)).slice(0, SHOWN));

  watch(text, (now) => {
    at.value = 0;
    if (!now.startsWith("/")) isDismissed.value = false;
  });
  onMounted(() => {
    if (store.rows.length === 0) void store.refresh().catch(() => undefined);
  });

  function pick(reply: ReplyView | undefined): void {
    if (reply) text.value = filled(reply.text, session());
  }

  function begin(): void {
    isDismissed.value = false;
    text.value = "/";
  }

  const KEYS: Record<string, () => void> = {
    ArrowDown: () => (at.value = (at.value + 1) % Math.max(1, rows.value.length)),
    ArrowUp: () => (at.value = (at.value - 1 + rows.value.length) % Math.max(1, rows.value.length)),
    Enter: () => pick(rows.value[at.value]),
    Tab: () => pick(rows.value[at.value]),
    Escape: () => (isDismissed.value = true),
  };

  /** True when the key was for the list. */
  function onKey(event: KeyboardEvent): boolean {
    const act = isOpen.value ? KEYS[event.key] : undefined;
    if (!act) return false;
    act();
    event.preventDefault();
    event.stopPropagation();
    return true;
  }

  return { isOpen, rows, at, pick, begin, onKey };
}

export type Canned = ReturnType<typeof useCanned>;
