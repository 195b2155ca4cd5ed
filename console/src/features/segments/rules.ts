/** Nested rules as the builder edits them: a group, conditions in it, each of them perhaps turned round. */
import type { InjectionKey, ShallowRef } from "vue";

import type { FieldSpec, Rule } from "@/api/cases";

export const CUSTOM_FIELDS: InjectionKey<ShallowRef<readonly FieldSpec[]>> = Symbol("custom fields");

export type Group = Extract<Rule, { kind: "all" | "any" }>;
export type Kind = Exclude<NonNullable<Rule["kind"]>, "all" | "any" | "not">;
export const KINDS: readonly Kind[] = ["tag", "attribute", "within", "temporary", "created", "contacted", "consulted", "rated"];

export function freshRule(kind: Kind | "all" | "any"): Rule {
  switch (kind) {
    case "all":
    case "any":
      return { kind, rules: [] };
    case "attribute":
      return { kind, field: "contract_level", op: "is", value: "" };
    case "tag":
      return { kind, tag: "" };
    case "temporary":
      return { kind };
    case "within":
      return { kind, institution_id: "", region_code: "" };
    case "created":
    case "contacted":
      return { kind, days: 30 };
    case "consulted":
      return { kind, what: "sessions", at_least: 3, days: 30 };
    case "rated":
      return { kind, low: 1, high: 2, days: 365 };
  }
}

export const isGroup = (rule: Rule): rule is Group => rule.kind === "all" || rule.kind === "any";

/** The condition without "not", and whether there was one. */
export function unwrapped(rule: Rule): { inner: Rule; isNot: boolean } {
  return rule.kind === "not" ? { inner: rule.rule, isNot: true } : { inner: rule, isNot: false };
}

export const wrapped = (inner: Rule, isNot: boolean): Rule => (isNot ? { kind: "not", rule: inner } : inner);

/** Whether the server would take it: nothing that must be said is left out. */
export function isComplete(rule: Rule): boolean {
  const { inner } = unwrapped(rule);
  if (isGroup(inner)) return (inner.rules ?? []).every(isComplete);
  if (inner.kind === "tag") return inner.tag.trim() !== "";
  if (inner.kind === "within") return Boolean(inner.institution_id || inner.region_code);
  if (inner.kind === "attribute") return inner.op === "is_empty" || Boolean(inner.value);
  return true;
}
