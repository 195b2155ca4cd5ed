import type { Entry } from "./types";

/** New or changed entries put in by their number. */
export function upsert(known: readonly Entry[], incoming: readonly Entry[]): Entry[] {
  const bySeq = new Map(known.map((entry) => [entry.seq, entry]));
  for (const entry of incoming) bySeq.set(entry.seq, entry);
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

const QUIET_S = 300;

/** Entries with a time above those that follow a pause. */
export function withTimes(entries: readonly Entry[]): { entry: Entry; time: string }[] {
  return entries.map((entry, index) => {
    const before = entries[index - 1];
    return { entry, time: !before || entry.at - before.at > QUIET_S ? clockOf(entry.at) : "" };
  });
}

export function clockOf(seconds: number): string {
  const at = new Date(seconds * 1000);
  return new Intl.DateTimeFormat("zh-CN", { timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit" }).format(at);
}
