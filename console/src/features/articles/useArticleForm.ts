/** The fields of one article, and the steps that they may take. */
import { computed, reactive, shallowRef } from "vue";

import * as api from "@/api/knowledge";
import type { ArticleView } from "@/api/types";
import { useAuth } from "@/stores/auth";

export type Deed = "save" | "publish" | "withdraw" | "restore" | "remove" | api.Step;

export function useArticleForm(given: ArticleView | null) {
  const auth = useAuth();
  const article = shallowRef(given);
  const shown = given?.open?.content ?? given;
  const fields = reactive({
    question: shown?.question ?? "",
    answer: shown?.answer ?? "",
    category: shown?.category ?? "",
    tags: [...(shown?.tags ?? [])],
    similar: (shown?.similar ?? []).join("\n"),
  });

  const content = () => ({
    ...fields,
    question: fields.question.trim(),
    answer: fields.answer.trim(),
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

  async function perform(deed: Deed, note = ""): Promise<void> {
    if (deed === "save") await store();
    else if (deed === "publish") await store("published");
    else if (deed === "withdraw") await move("archived");
    else if (deed === "restore") await move("draft");
    else if (deed === "remove") await api.removeArticle(article.value?.id ?? "");
    else await step(deed, note);
  }

  return { article, fields, deeds, perform };
}
