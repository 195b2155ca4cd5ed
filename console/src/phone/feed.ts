/** What the sandbox pushes to one screen; after a reconnect it begins with a complete snapshot. */
import { onScopeDispose, ref, watch } from "vue";

import type { Push } from "./types";

const LONGEST_WAIT_MS = 8000;

/** `who` is the query of the socket ("customer:…:…", "servicer:…"), or null for no line. */
export function useFeed(who: () => string | null, onPush: (push: Push) => void) {
  const isLive = ref(false);
  let socket: WebSocket | null = null;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let attempt = 0;

  function close(): void {
    clearTimeout(retry);
    const old = socket;
    socket = null;
    old?.close();
    isLive.value = false;
  }

  function open(): void {
    const name = who();
    if (name === null) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const line = new WebSocket(`${scheme}://${location.host}/phone/api/ws?as=${encodeURIComponent(name)}`);
    socket = line;
    line.onmessage = (message) => {
      attempt = 0;
      isLive.value = true;
      onPush(JSON.parse(String(message.data)) as Push);
    };
    line.onclose = () => {
      if (socket !== line) return;
      isLive.value = false;
      attempt += 1;
      retry = setTimeout(open, Math.min(LONGEST_WAIT_MS, 300 * 2 ** attempt));
    };
  }

  watch(
    who,
    () => {
      close();
      attempt = 0;
      open();
    },
    { immediate: true },
  );
  onScopeDispose(close);
  return { isLive };
}
