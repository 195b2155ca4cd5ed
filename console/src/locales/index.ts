import { createI18n } from "vue-i18n";
import { computed } from "vue";

import { wording } from "@/api/http";

import en from "./en";
import zhCN from "./zh-CN";

export type Locale = "zh-CN" | "en";

type Leaves<T, Prefix extends string = ""> = {
  [K in keyof T & string]: T[K] extends string ? `${Prefix}${K}` : Leaves<T[K], `${Prefix}${K}.`>;
}[keyof T & string];

/** Every key of the source locale; a misspelt one does not compile. */
export type Key = Leaves<typeof zhCN>;

const CHOSEN = "wenqu.locale";

export const i18n = createI18n({
  legacy: false,
  locale: localStorage.getItem(CHOSEN) === "en" ? "en" : "zh-CN",
  fallbackLocale: "zh-CN",
  messages: { "zh-CN": zhCN, en },
});

const global = i18n.global;

export const locale = computed<Locale>({
  get: () => global.locale.value as Locale,
  set: (next) => {
    global.locale.value = next;
    localStorage.setItem(CHOSEN, next);
    tellTheRest();
  },
});

function tellTheRest(): void {
  document.documentElement.lang = locale.value;
  wording.language = locale.value;
  wording.offline = t("error.offline");
  wording.broken = t("error.broken");
}

export function t(key: Key, facts: Record<string, string | number> = {}): string {
  return (global.t as (key: string, facts: Record<string, string | number>) => string)(key, facts);
}

/** The words for a code (its part before ":"), or others when nobody named it. */
export function namedOr(prefix: string, code: string, other: string): string {
  const key = `${prefix}.${code.split(":", 1)[0]}`;
  return global.te(key, "zh-CN") ? t(key as Key) : other;
}

/** For words whose key is made from data (states, reasons, codes): the code itself when nobody named it. */
export function named(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return global.te(key, "zh-CN") ? t(key as Key) : code;
}

tellTheRest();
