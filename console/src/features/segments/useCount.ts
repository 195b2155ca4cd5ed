import { onScopeDispose, ref, shallowRef, watch, type Ref } from "vue";

import type { Rule } from "@/api/cases";
import { previewRule } from "@/api/customers";
import { ApiError } from "@/api/problem";
import type { CustomerView } from "@/api/types";
import { latest } from "@/shared/latest";

import { isComplete } from "./rules";

const PAUSE_MS = 300;

/** How many customers the rule describes, counted when the editing pauses; the last question wins. */
export function useCount(rule: Ref<Rule>) {
  const count = ref<number | null>(null);
  const sample = shallowRef<readonly CustomerView[]>([]);
  const error = ref("");
  let pause: ReturnType<typeof setTimeout> | undefined;
  const begin = latest();

  async function ask(): Promise<void> {
    const isLatest = begin();
    error.value = "";
    if (!isComplete(rule.value)) {
      count.value = null;
      sample.value = [];
      return;
    }
    try {
      const found = await previewRule(rule.value);
      if (!isLatest()) return;
      count.value = found.count;
      sample.value = found.sample;
    } catch (reason) {
      if (!(reason instanceof ApiError)) throw reason;
      if (isLatest()) error.value = reason.message;
    }
  }

  watch(
    rule,
    () => {
      clearTimeout(pause);
      pause = setTimeout(() => void ask(), PAUSE_MS);
    },
    { immediate: true },
  );
  onScopeDispose(() => clearTimeout(pause));
  return { count, sample, error };
}
