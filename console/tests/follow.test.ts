import { describe, expect, it, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";

import { useFollow } from "@/shared/composables/useFollow";

describe("a list that follows what changes", () => {
  it("reloads at once, and only once a second while an import changes thousands of rows", async () => {
    vi.useFakeTimers();
    const count = ref(0);
    const reload = vi.fn();
    const scope = effectScope();
    scope.run(() => useFollow(count, reload));
    for (let row = 0; row < 500; row += 1) {
      count.value += 1;
      await nextTick();
    }
    expect(reload).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1000);
    expect(reload).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5000);
    expect(reload).toHaveBeenCalledTimes(2);
    count.value += 1;
    await nextTick();
    expect(reload).toHaveBeenCalledTimes(3);
    scope.stop();
    vi.useRealTimers();
  });
});
