import { expect, it } from "vitest";

import type { ServiceFigures } from "@/api/cases";
import { satisfaction, spanOf, waits } from "@/features/teams/figures";

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

it("reckons a span back from now", () => {
  expect(spanOf(7, Date.parse("2026-03-08T00:00:00Z"))).toEqual({ since: "2026-03-01T00:00:00.000Z", until: "2026-03-08T00:00:00.000Z" });
});
