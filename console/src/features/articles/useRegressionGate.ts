import { shallowRef } from "vue";

import type { Impact } from "@/api/types";
import { useTask } from "@/shared/composables/useTask";

/** Before answers change: which known questions change theirs, and does the person agree? */
export function useRegressionGate() {
  const impact = shallowRef<Impact | null>(null);
  let settle: (isAgreed: boolean) => void = () => undefined;
  const weigh = useTask(async (look: () => Promise<Impact>) => (impact.value = await look()));

  /** True when nothing changes, or the person agrees with what does. */
  async function passes(look: () => Promise<Impact>): Promise<boolean> {
    if (!(await weigh.run(look))) return false;
    if (!impact.value?.changed.length) return true;
    return new Promise((resolve) => (settle = resolve));
  }

  function answered(isAgreed: boolean): void {
    impact.value = null;
    settle(isAgreed);
  }

  return { impact, isWeighing: weigh.isRunning, passes, answered };
}
