/** The order of a transcript, as pure functions on arrays. */
import type { MessageView } from "@/api/types";

/** Optimistic lines have no seq yet; they stay at the end until the server names them. */
export const UNSENT_SEQ = Number.MAX_SAFE_INTEGER;

/** `incoming` put into `lines`: in order, none twice, and an optimistic line gives way to its answer. */
export function merge(lines: readonly MessageView[], incoming: readonly MessageView[]): MessageView[] {
  const byId = new Map(lines.map((line) => [line.id, line]));
  const answered = new Set<string>();
  for (const line of incoming) {
    byId.set(line.id, settled(byId.get(line.id), line));
    if (line.client_id && line.seq !== UNSENT_SEQ) answered.add(line.client_id);
  }
  return [...byId.values()].filter((line) => line.seq !== UNSENT_SEQ || !answered.has(line.id)).sort(inOrder);
}

/** An answer that was written before the event about it, and arrives after it, takes nothing back. */
function settled(known: MessageView | undefined, incoming: MessageView): MessageView {
  if (!known || known.seq === UNSENT_SEQ) return incoming;
  const { delivery, failure } = incoming.delivery === "pending" ? known : incoming;
  return { ...incoming, delivery, failure, recalled_at: incoming.recalled_at ?? known.recalled_at };
}

/** One line replaced by what `change` makes of it; the same array when there is no such line. */
export function amend(
  lines: readonly MessageView[],
  id: string,
  change: (line: MessageView) => MessageView,
): readonly MessageView[] {
  return lines.some((line) => line.id === id) ? lines.map((line) => (line.id === id ? change(line) : line)) : lines;
}

function inOrder(a: MessageView, b: MessageView): number {
  return a.seq - b.seq || a.sent_at.localeCompare(b.sent_at);
}
