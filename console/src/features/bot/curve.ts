import type { CalibrationView } from "@/api/types";

export type Point = CalibrationView["point"];

/** The threshold of the widest coverage whose measured precision reaches the target. */
export function pointFor(curve: readonly Point[], target: number): Point | null {
  return curve
    .filter((point) => point.answers > 0 && point.precision >= target)
    .reduce<Point | null>((best, point) => (best && best.coverage >= point.coverage ? best : point), null);
}
