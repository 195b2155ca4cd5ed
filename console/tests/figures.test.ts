import { expect, it } from "vitest";

import type { ServiceFigures } from "@/api/cases";
import { bars, promises, satisfaction, spanOf, waits } from "@/features/teams/figures";

const NOTHING: ServiceFigures = {
  sessions: 0,
  closed: 0,
  unanswered: 0,
  first_response_mean_s: null,
  first_response_median_s: null,
  first_response_p90_s: null,
  rated: 0,
  participation: null,
  satisfied: null,
  satisfaction_mean: null,
};

it("shows a dash where there is nothing to divide", () => {
  expect([waits(NOTHING), satisfaction(NOTHING)]).toEqual(["—", "—"]);
});

it("shows a zero as what it is", () => {
  expect(waits({ ...NOTHING, first_response_median_s: 0, first_response_p90_s: 61 })).toBe("0 秒 / 1 分钟");
});

it("keeps the number of ratings beside their mean", () => {
  expect(satisfaction({ ...NOTHING, rated: 3, satisfaction_mean: 4.33 })).toBe("4.3 (3)");
});

it("begins a span at midnight in Shanghai", () => {
  expect(spanOf(7, Date.parse("2026-03-08T00:00:00Z"))).toEqual({ since: "2026-03-01T16:00:00.000Z", until: "2026-03-08T00:00:00.000Z" });
});

it("has a bar for every day of the span, also where nothing happened", () => {
  const days = [{ day: "2026-03-07", sessions: 3, first_response_mean_s: 40, satisfaction_mean: null }];
  const found = bars(days, 3, (one) => one.sessions, String, Date.parse("2026-03-08T00:00:00Z"));
  expect(found).toEqual([
    { day: "2026-03-06", value: null, text: "—" },
    { day: "2026-03-07", value: 3, text: "3" },
    { day: "2026-03-08", value: null, text: "—" },
  ]);
});

it("shows kept promises as a share of those that came due", () => {
  const unknown = { promised_mean_s: null, promised_median_s: null, waited_mean_s: null, waited_median_s: null, waited_p90_s: null };
  const none = { told: 3, kept: 0, late: 0, left: 2, waiting: 1, ...unknown };
  expect([promises(none), promises({ ...none, told: 51, kept: 36, late: 12 })]).toEqual(["—", "75% (48)"]);
});
