import { onScopeDispose, watch, type WatchSource } from "vue";

const PAUSE_MS = 1000;

/** Reload when something changed: at once, and then once a second however much changes. */
export function useFollow(changed: WatchSource, reload: () => unknown): void {
  let pause: ReturnType<typeof setTimeout> | undefined;
  let isStale = false;

  function look(): void {
    isStale = pause !== undefined;
    if (isStale) return;
    pause = setTimeout(() => {
      pause = undefined;
      if (isStale) look();
    }, PAUSE_MS);
    reload();
  }
  watch(changed, look);
  onScopeDispose(() => clearTimeout(pause));
}
