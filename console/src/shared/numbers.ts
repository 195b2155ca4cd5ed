import { locale } from "@/locales";

export function fileSize(bytes: number): string {
  const units = ["B", "KB", "MB", "GB"];
  const power = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log(bytes) / Math.log(1024))) : 0;
  const value = bytes / 1024 ** power;
  return `${value >= 10 || power === 0 ? Math.round(value) : value.toFixed(1)} ${units[power] ?? "B"}`;
}

const ROUNDING_ERROR = 1e-9;

/** Whole percents; near the ends as many digits as keep 99.6 % from reading as 100 % (and 0.4 % as 0 %). */
export function percent(share: number): string {
  const distance = Math.min(share, 1 - share);
  const isNearEnd = distance > ROUNDING_ERROR && distance < 0.01;
  const digits = isNearEnd ? 1 : 0;
  const shown = isNearEnd ? Math.min(Math.max(share, 0.001), 0.999) : share;
  return new Intl.NumberFormat(locale.value, { style: "percent", minimumFractionDigits: 0, maximumFractionDigits: digits }).format(shown);
}
