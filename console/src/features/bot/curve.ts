import type { CalibrationView } from "@/api/types";

export type Point = CalibrationView["point"];

/** Below this confidence the bot never answers, whatever few labels say. */
const LOWEST_ANSWER = 0.5;

const eligible = (curve: readonly Point[]): Point[] => curve.filter((point) => point.answers > 0 && point.threshold >= LOWEST_ANSWER);

/** The threshold of the widest coverage whose precision is, with 95 % certainty, at least the target. */
export function pointFor(curve: readonly Point[], target: number): Point | null {
  return eligible(curve)
    .filter((point) => point.precision_low >= target)
    .reduce<Point | null>((best, point) => (best && best.coverage >= point.coverage ? best : point), null);
}

/** What these labels can vouch for at best: too few of them, and even a perfect record proves little. */
export const bestAssured = (curve: readonly Point[]): number => Math.max(0, ...eligible(curve).map((point) => point.precision_low));
