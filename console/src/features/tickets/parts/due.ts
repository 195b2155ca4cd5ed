/** How near a deadline is: what a clock's colour says. */
export type Nearness = "far" | "near" | "past" | "paused";

const NEAR_S = 3600;

export function nearness(due_at: string | null | undefined, now: number): Nearness {
  if (!due_at) return "paused";
  const left = leftOf(due_at, now);
  if (left < 0) return "past";
  return left < NEAR_S ? "near" : "far";
}

/** Seconds until the moment, negative past it. */
export const leftOf = (due_at: string, now: number): number => (new Date(due_at).getTime() - now) / 1000;
