/** Brings the line that the address names into view, fetching back to it when it is old. */
import { nextTick, watch, type Ref } from "vue";

import type { SessionView } from "@/api/types";
import { showRefusal } from "@/shared/composables/useTask";
import { useMessages } from "@/stores/messages";

export function usePlace(box: Readonly<Ref<HTMLElement | undefined>>, line: Readonly<Ref<number>>, session: () => SessionView) {
  const messages = useMessages();
  const isLoaded = (): boolean => (messages.threads[session().conversation_id] ?? []).length > 0;

  async function show(seq: number): Promise<void> {
    try {
      await messages.reach(session(), seq);
    } catch (reason) {
      showRefusal(reason);
    }
    await nextTick();
    const element = box.value?.querySelector(`[data-seq="${seq}"]`);
    if (!element) return;
    element.scrollIntoView({ block: "center" });
    element.classList.add("found");
    setTimeout(() => element.classList.remove("found"), 3000);
  }

  watch(
    [line, isLoaded],
    ([seq, is]) => {
      if (seq > 0 && is) void show(seq);
    },
    { immediate: true, flush: "post" },
  );
}
