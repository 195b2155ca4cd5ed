import { afterEach, expect, test } from "vitest";

import { locale } from "@/locales";
import { fileSize } from "@/shared/numbers";
import { chatTime, duration, rowTime, stopwatch } from "@/shared/time";

const now = new Date("2026-03-02T04:00:00Z");
afterEach(() => (locale.value = "zh-CN"));

test("a chat's times are told as in Shanghai, with as much date as is needed", () => {
  expect(chatTime("2026-03-02T03:05:00Z", now)).toBe("11:05");
  expect(chatTime("2026-03-01T15:59:00Z", now)).toBe("昨天 23:59");
  expect(chatTime("2026-03-01T16:01:00Z", now)).toBe("00:01");
  expect(chatTime("2026-02-27T03:05:00Z", now)).toBe("02/27 11:05");
  expect(chatTime("2025-12-31T03:05:00Z", now)).toBe("2025/12/31 11:05");
  expect(rowTime("2026-02-27T03:05:00Z", now)).toBe("02/27");
  expect(rowTime("2026-03-01T03:05:00Z", now)).toBe("昨天");
  expect(rowTime("2026-03-02T03:05:00Z", now)).toBe("11:05");
});

test("durations never show bare seconds beyond a minute", () => {
  expect([0, 59, 60, 3599, 3600, 5400, 86_400].map(duration)).toEqual([
    "0 秒",
    "59 秒",
    "1 分钟",
    "59 分钟",
    "1 小时",
    "1 小时 30 分",
    "1 天",
  ]);
  locale.value = "en";
  expect(duration(5400)).toBe("1 h 30 min");
});

test("a waiting clock runs in minutes and, when long, hours", () => {
  expect([0, 7, 67, 3765].map(stopwatch)).toEqual(["0:00", "0:07", "1:07", "1:02:45"]);
});

test("file sizes fit the eye", () => {
  expect([0, 512, 1536, 48_211, 5_242_880].map(fileSize)).toEqual(["0 B", "512 B", "1.5 KB", "47 KB", "5.0 MB"]);
});
