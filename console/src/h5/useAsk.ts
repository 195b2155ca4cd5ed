import { ref } from "vue";

import { Refused } from "./api";

/** One question at a time: busy while it runs, refusals in words. */
export function useAsk() {
  const isBusy = ref(false);
  const problem = ref("");
  async function ask(work: () => Promise<void>): Promise<boolean> {
    if (isBusy.value) return false;
    isBusy.value = true;
    problem.value = "";
    try {
      await work();
      return true;
    } catch (reason) {
      if (!(reason instanceof Refused)) throw reason;
      problem.value = reason.message;
      return false;
    } finally {
      isBusy.value = false;
    }
  }
  return { isBusy, problem, ask };
}
