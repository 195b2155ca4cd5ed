/** All dates and durations that people see, in Asia/Shanghai as the service keeps its hours there. */
import { locale, t } from "@/locales";

const ZONE = "Asia/Shanghai";

type Shape = Intl.DateTimeFormatOptions;
const CLOCK: Shape = { hour: "2-digit", minute: "2-digit", hour12: false };
const DAY: Shape = { month: "2-digit", day: "2-digit" };
const FULL: Shape = { year: "numeric", ...DAY, ...CLOCK };

const formats = new Map<string, Intl.DateTimeFormat>();

function format(at: Date, shape: Shape): string {
  const key = locale.value + JSON.stringify(shape);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(locale.value, { timeZone: ZONE, ...shape });
  formats.set(key, known);
  return known.format(at);
}

export const clockTime = (iso: string): string => format(new Date(iso), CLOCK);

export const fullTime = (iso: string): string => format(new Date(iso), FULL);

export const dayOf = (iso: string): string => format(new Date(iso), { year: "numeric", ...DAY });

/** As chat programs do: 14:05 today, 昨天 14:05, 11/20 14:05, with the year when it is another one. */
export function chatTime(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const day: Shape = { year: "numeric", ...DAY };
  if (format(at, day) === format(now, day)) return format(at, CLOCK);
  const yesterday = new Date(now.getTime() - 86_400_000);
  if (format(at, day) === format(yesterday, day)) return `${t("time.yesterday")} ${format(at, CLOCK)}`;
  const isThisYear = format(at, { year: "numeric" }) === format(now, { year: "numeric" });
  return format(at, isThisYear ? { ...DAY, ...CLOCK } : FULL);
}

/** The same, short enough for a list row: the clock today, only the day before that. */
export function rowTime(iso: string, now = new Date()): string {
  return chatTime(iso, now).replace(/[ ,]+\d\d:\d\d$/, "");
}

export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return t("time.seconds", { n: s });
  if (s < 3600) return t("time.minutes", { n: Math.floor(s / 60) });
  if (s >= 86_400) return t("time.days", { n: Math.floor(s / 86_400) });
  const h = Math.floor(s / 3600);
  const m = Math.floor((s % 3600) / 60);
  return m ? t("time.hours_minutes", { h, m }) : t("time.hours", { n: h });
}

/** 3:07, 1:02:45: a running clock. */
export function stopwatch(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const parts = s >= 3600 ? [Math.floor(s / 3600), Math.floor((s % 3600) / 60), s % 60] : [Math.floor(s / 60), s % 60];
  return parts.map((part, index) => (index === 0 ? String(part) : String(part).padStart(2, "0"))).join(":");
}

export function since(iso: string, now: number): number {
  return (now - new Date(iso).getTime()) / 1000;
}

export function ago(iso: string, now = Date.now()): string {
  const seconds = since(iso, now);
  return seconds < 45 ? t("time.now") : t("time.ago", { span: duration(seconds) });
}

/** What a date picker speaks ("2026-10-01T09:00:00", the office's wall clock) as an instant. */
export const fromWallClock = (text: string): string => new Date(`${text}+08:00`).toISOString();

/** The day of an instant as calendars write it: 2026-10-01. */
export const isoDay = (at: Date): string => new Date(at.getTime() + 8 * 3_600_000).toISOString().slice(0, 10);
