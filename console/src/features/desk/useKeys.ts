import { onBeforeUnmount, onMounted } from "vue";

import { useSessions } from "@/stores/sessions";

import type { Desk } from "./useDesk";

/** e.g. "Alt+ArrowDown", "Ctrl+k"; Ctrl stands for ⌘ as well. Digits and letters by their key, not by layout. */
export function chord(event: KeyboardEvent): string {
  const key = event.altKey && /^(Key|Digit)/.test(event.code) ? event.code.slice(-1).toLowerCase() : event.key;
  const parts = [event.ctrlKey || event.metaKey ? "Ctrl" : "", event.altKey ? "Alt" : "", key.length === 1 ? key.toLowerCase() : key];
  return parts.filter(Boolean).join("+");
}

export function useKeys(desk: Desk): void {
  const sessions = useSessions();

  const withSession = (act: (session: NonNullable<Desk["session"]["value"]>) => void) => () => {
    if (desk.session.value) act(desk.session.value);
  };
  const actions: Record<string, () => void> = {
    "Alt+ArrowDown": () => desk.step(1),
    "Alt+ArrowUp": () => desk.step(-1),
    "Alt+1": () => (desk.list.value = "queue"),
    "Alt+2": () => (desk.list.value = "mine"),
    "Alt+3": () => (desk.list.value = "all"),
    "Ctrl+k": () => (desk.isSearchOpen.value = true),
    "Ctrl+/": () => (desk.isHelpOpen.value = true),
    "Alt+q": () => {
      const first = sessions.queued[0];
      if (first) void desk.serving.claim.run(first);
    },
    "Alt+t": withSession(() => (desk.dialog.value = "transfer")),
    "Alt+n": withSession(() => (desk.dialog.value = "note")),
    "Alt+w": withSession(() => (desk.dialog.value = "conclusion")),
    "Alt+k": withSession(() => desk.showSide("knowledge")),
    "Alt+i": withSession(() => (desk.focusTurn.value += 1)),
  };

  function onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const isTyping = (event.target as HTMLElement).closest("input, textarea, [contenteditable]") !== null;
    const name = chord(event);
    if (name === "?" && !isTyping) desk.isHelpOpen.value = true;
    else if (name === "Escape" && isTyping) (event.target as HTMLElement).blur();
    else if (actions[name]) {
      actions[name]();
      event.preventDefault();
    }
  }

  onMounted(() => window.addEventListener("keydown", onKey));
  onBeforeUnmount(() => window.removeEventListener("keydown", onKey));
}
