import { ElMessage } from "element-plus";
import { ref, type Ref } from "vue";

import { ApiError } from "@/api/problem";

export interface Task<A extends unknown[]> {
  run: (...args: A) => Promise<boolean>;
  isRunning: Readonly<Ref<boolean>>;
}

/** An action behind a button: busy while it runs, refusals shown in the server's own words. */
export function useTask<A extends unknown[]>(work: (...args: A) => Promise<unknown>, done?: () => string): Task<A> {
  const isRunning = ref(false);
  async function run(...args: A): Promise<boolean> {
    isRunning.value = true;
    try {
      await work(...args);
      if (done) ElMessage.success(done());
      return true;
    } catch (reason) {
      showRefusal(reason);
      return false;
    } finally {
      isRunning.value = false;
    }
  }
  return { run, isRunning };
}

export function showRefusal(reason: unknown): void {
  if (!(reason instanceof ApiError)) throw reason;
  if (reason.message) ElMessage.error({ message: reason.message, grouping: true });
}
