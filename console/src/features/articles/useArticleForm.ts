/** The fields of one article, and the steps that they may take. */
import { computed, reactive, shallowRef } from "vue";

import * as api from "@/api/knowledge";
import type { ArticleView, Impact } from "@/api/types";
import { useAuth } from "@/stores/auth";

import { paragraphs } from "./richText";

export type Deed = "save" | "publish" | "withdraw" | "restore" | "remove" | api.Step;

const dateOf = (iso: string | null | undefined): Date | null => (iso ? new Date(iso) : null);

export interface ArticleFieldValues {
  question: string;
  answer_html: string;
  category: string;
  tags: string[];
  similar: string;
  audience: string[];
  source: string;
  effective_at: Date | null;
  expires_at: Date | null;
}

export function useArticleForm(given: ArticleView | null) {
  const auth = useAuth();
  const article = shallowRef(given);
  const shown = given?.open?.content ?? given;
  const fields = reactive<ArticleFieldValues>({
    question: shown?.question ?? "",
    answer_html: shown?.answer_html || (shown?.answer ? paragraphs(shown.answer) : ""),
    category: shown?.category ?? "",
    tags: [...(shown?.tags ?? [])],
    similar: (shown?.similar ?? []).join("\n"),
    audience: [...(shown?.audience ?? [])],
    source: shown?.source ?? "",
    effective_at: dateOf(shown?.effective_at),
    expires_at: dateOf(shown?.expires_at),
  });
  const originalHtml = fields.answer_html;

  const content = () => ({
    ...fields,
    answer_html: fields.answer_html === originalHtml ? undefined : fields.answer_html,
    question: fields.question.trim(),
    source: fields.source.trim(),
    effective_at: fields.effective_at?.toISOString() ?? null,
    expires_at: fields.expires_at?.toISOString() ?? null,
    category: fields.category.trim(),
    similar: fields.similar
      .split("\n")
      .map((line) => line.trim())
      .filter(Boolean),
  });

  const deeds = computed<ReadonlySet<Deed>>(() => {
    const known = article.value;
    const mayPublish = auth.can("article.publish");
    const isInReview = known?.open?.state === "review";
    const allowed: [Deed, boolean][] = [
      ["save", known?.state !== "archived" && !isInReview],
      ["submit", known?.state !== "archived" && !isInReview],
      ["publish", mayPublish && !isInReview && known?.state !== "archived"],
      ["approve", mayPublish && isInReview],
      ["reject", mayPublish && isInReview],
      ["discard", Boolean(known?.open) && known?.live_number !== null && known?.state === "published"],
      ["withdraw", known?.state === "published"],
      ["restore", known?.state === "archived"],
      ["remove", known?.state === "draft" && known.live_number === null],
    ];
    return new Set(allowed.filter(([, may]) => may && auth.can("article.edit")).map(([deed]) => deed));
  });

  async function store(state?: "published"): Promise<void> {
    const known = article.value;
    article.value = known
      ? await api.changeArticle(known.id, { ...content(), version: known.version, ...(state ? { state } : {}) })
      : await api.addArticle({ ...content(), state: state ?? "draft" });
  }

  async function move(state: "archived" | "draft"): Promise<void> {
    const known = article.value;
    if (known) article.value = await api.changeArticle(known.id, { state, version: known.version });
  }

  async function step(name: api.Step, note: string): Promise<void> {
    if (name === "submit") await store();
    const known = article.value;
    if (known) article.value = await api.stepArticle(known.id, name, known.version, note);
  }

  /** What the step would change for known questions; the draft is stored first when it is new. */
  async function impact(deed: Deed): Promise<Impact> {
    if (deed === "publish") await store();
    return api.impactOf(article.value?.id ?? "", deed === "withdraw" ? "archive" : "publish");
  }

  async function perform(deed: Deed, note = ""): Promise<void> {
    if (deed === "save") await store();
    else if (deed === "publish") await store("published");
    else if (deed === "withdraw") await move("archived");
    else if (deed === "restore") await move("draft");
    else if (deed === "remove") await api.removeArticle(article.value?.id ?? "");
    else await step(deed, note);
  }

  return { article, fields, deeds, impact, perform };
}
