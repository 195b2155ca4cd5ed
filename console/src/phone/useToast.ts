import { ref } from "vue";

import { Refusal } from "./api";

const SHOWN_MS = 2600;

/** The grey words in the middle of a phone. */
export function useToast() {
  const toast = ref("");
  let timer: ReturnType<typeof setTimeout> | undefined;

  function show(words: string): void {
    clearTimeout(timer);
    toast.value = words;
    timer = setTimeout(() => (toast.value = ""), SHOWN_MS);
  }

  async function attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (reason) {
      if (!(reason instanceof Refusal)) throw reason;
      show(reason.message);
    }
  }

  return { toast, show, attempt };
}
