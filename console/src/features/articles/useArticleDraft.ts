import { useRouter } from "vue-router";

import { draftArticleFrom } from "@/api/knowledge";
import { t } from "@/locales";
import { useTask } from "@/shared/composables/useTask";

/** A session or ticket becomes an article in review, which opens at once for a last look. */
export function useArticleDraft(of: "sessions" | "tickets") {
  const router = useRouter();
  return useTask(
    async (id: string) => {
      const made = await draftArticleFrom(of, id);
      await router.push({ name: "knowledge", query: { article: made.id } });
    },
    () => t("articles.drafted"),
  );
}
