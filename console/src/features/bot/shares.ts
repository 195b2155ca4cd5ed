import type { BotFigures } from "@/api/types";
import { t } from "@/locales";
import { percent } from "@/shared/numbers";

export type Share = BotFigures["precision"];

export const intervalOf = (share: Pick<Share, "low" | "high">): string =>
  t("kb.interval", { low: percent(share.low), high: percent(share.high) });
