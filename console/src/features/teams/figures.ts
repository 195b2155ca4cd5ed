/** How the figures of a team are written: pure. */
import type { DayFigures, ServiceFigures, TeamService, WaitFigures } from "@/api/cases";
import type { Key } from "@/locales";
import { percent } from "@/shared/numbers";
import { duration, fromWallClock, isoDay } from "@/shared/time";

const DAY_MS = 86_400_000;

export const orDash = (text: string | null): string => text ?? "—";

/** The last so many days, today among them, as the server wants it. */
export function spanOf(days: number, now = Date.now()): { since: string; until: string } {
  return { since: fromWallClock(`${isoDay(new Date(now - (days - 1) * DAY_MS))}T00:00`), until: new Date(now).toISOString() };
}

/** Median and 90th percentile: 40 秒 / 3 分钟. */
export function waits(it: ServiceFigures): string {
  const { first_response_median_s: half, first_response_p90_s: most } = it;
  return half === null || most === null ? "—" : `${duration(half)} / ${duration(most)}`;
}

/** Mean of five with the number of ratings; never mixed with the share of satisfied. */
export const satisfaction = (it: ServiceFigures): string =>
  it.satisfaction_mean === null ? "—" : `${it.satisfaction_mean.toFixed(1)} (${it.rated})`;

export interface Bar {
  day: string;
  value: number | null;
  text: string;
}

/** Every day of the span, oldest first; what has no figure has no bar. */
export function bars(days: readonly DayFigures[], span: number, of: (day: DayFigures) => number | null, text: (value: number) => string, now = Date.now()): Bar[] {
  const known = new Map(days.map((one) => [one.day, one]));
  return Array.from({ length: span }, (_, index) => {
    const day = isoDay(new Date(now - (span - 1 - index) * DAY_MS));
    const found = known.get(day);
    const value = found ? of(found) : null;
    return { day, value, text: value === null ? "—" : text(value) };
  });
}

/** Kept promises of those that came due: 96% (48). */
export function promises(it: WaitFigures): string {
  const due = it.kept + it.late;
  return due ? `${percent(it.kept / due)} (${due})` : "—";
}

export interface Cell {
  label: Key;
  value: string | number;
  hasRows: boolean;
}

export function cells(it: TeamService): Cell[] {
  const f = it.figures;
  const share = (value: number | null): string => (value === null ? "—" : percent(value));
  const now = (label: Key, value: number): Cell => ({ label, value, hasRows: false });
  const then = (label: Key, value: string | number): Cell => ({ label, value, hasRows: true });
  return [
    now("team.service.queued", it.queued),
    now("team.service.open", it.open),
    now("team.service.waiting", it.waiting),
    then("team.service.sessions", f.sessions),
    then("team.service.first_mean", f.first_response_mean_s === null ? "—" : duration(f.first_response_mean_s)),
    then("team.service.first_median", waits(f)),
    then("team.service.waited", it.waits.waited_mean_s === null ? "—" : duration(it.waits.waited_mean_s)),
    then("team.service.kept", promises(it.waits)),
    then("team.service.participation", share(f.participation)),
    then("team.service.satisfied", share(f.satisfied)),
    then("team.service.satisfaction", satisfaction(f)),
  ];
}
