import type { ScoreItem } from "@/api/cases";

/** 0…100 as the server will reckon it: weighted, and 0 when a critical item got nothing. */
export function totalOf(items: readonly ScoreItem[], scores: Readonly<Record<string, number>>): number {
  if (items.some((item) => item.is_critical && !scores[item.key])) return 0;
  const sum = items.reduce((total, item) => total + ((scores[item.key] ?? 0) / (item.best ?? 5)) * item.weight, 0);
  return Math.round(sum * 10) / 10;
}
