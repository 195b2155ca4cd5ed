/** Messages, notes and ratings as one column of lines with separators between them: pure. */
import type { MessageView, NoteView, RatingView } from "@/api/types";

export type Line =
  | { kind: "time"; key: string; at: string }
  | { kind: "session"; key: string; at: string }
  | { kind: "message"; key: string; at: string; message: MessageView }
  | { kind: "note"; key: string; at: string; note: NoteView }
  | { kind: "rating"; key: string; at: string; rating: RatingView };

const QUIET_MS = 5 * 60_000;

export function timeline(
  messages: readonly MessageView[],
  notes: readonly NoteView[],
  ratings: readonly RatingView[] = [],
): Line[] {
  const first = messages[0]?.sent_at ?? "";
  const beside: Line[] = [
    ...notes.map((note): Line => ({ kind: "note", key: note.id, at: note.created_at, note })),
    ...ratings.map((rating): Line => ({ kind: "rating", key: rating.id, at: rating.rated_at ?? rating.requested_at, rating })),
  ];
  const lines: Line[] = messages.map((message) => {
    return { kind: "message", key: message.client_id ?? message.id, at: message.sent_at, message };
  });
  const isShown = (line: Line): boolean => line.at >= first || messages.length === 0;
  return separated(interleave(lines, beside.filter(isShown).sort(byTime)));
}

/** The transcript keeps its own order; what stands beside it goes in by time. */
function interleave(lines: readonly Line[], beside: readonly Line[]): Line[] {
  const result: Line[] = [];
  let next = 0;
  for (const line of lines) {
    for (let other = beside[next]; other && other.at < line.at; other = beside[next]) {
      result.push(other);
      next += 1;
    }
    result.push(line);
  }
  return [...result, ...beside.slice(next)];
}

function separated(lines: readonly Line[]): Line[] {
  const result: Line[] = [];
  let session: string | null = null;
  let last = 0;
  for (const line of lines) {
    const at = new Date(line.at).getTime();
    const own: string | null = line.kind === "message" ? line.message.session_id : session;
    if (own !== null && own !== session) result.push({ kind: "session", key: `s-${own}-${line.key}`, at: line.at });
    else if (at - last > QUIET_MS) result.push({ kind: "time", key: `t-${line.key}`, at: line.at });
    session = own ?? session;
    last = at;
    result.push(line);
  }
  return result;
}

function byTime(a: Line, b: Line): number {
  return a.at.localeCompare(b.at);
}
