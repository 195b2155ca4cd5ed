/** Opening hours as people type them: "09:00-12:00, 13:30-18:00"; empty: closed. */
export type Period = [string, string];

export const textOf = (periods: ReadonlyArray<readonly unknown[]>): string => periods.map(([from, to]) => `${String(from)}-${String(to)}`).join(", ");

const CLOCK = /^([01]?\d|2[0-4]):([0-5]\d)$/;
const minutes = (text: string): number => {
  const [, h, m] = CLOCK.exec(text) ?? [];
  return h === undefined ? NaN : Number(h) * 60 + Number(m);
};

/** null when it cannot be read, or when periods are turned round or overlap. */
export function periodsOf(text: string): Period[] | null {
  const found: Period[] = [];
  let last = -1;
  for (const piece of text.split(/[,，、;；]/).map((one) => one.trim()).filter(Boolean)) {
    const [from = "", to = "", ...rest] = piece.split(/[-–~至]/).map((one) => one.trim().replace("：", ":"));
    const [start, end] = [minutes(from), minutes(to)];
    if (rest.length || !(start < end) || end > 1440 || start < last) return null;
    found.push([from.padStart(5, "0"), to.padStart(5, "0")]);
    last = end;
  }
  return found;
}
