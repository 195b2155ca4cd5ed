import { useRouter } from "vue-router";

import type { ArticleView } from "@/api/types";
import { t } from "@/locales";
import { useTask } from "@/shared/composables/useTask";

/** A session or ticket becomes an article in review, which opens at once for a last look. */
export function useArticleDraft(draft: (id: string) => Promise<ArticleView>) {
  const router = useRouter();
  return useTask(
    async (id: string) => {
      const made = await draft(id);
      await router.push({ name: "knowledge", query: { article: made.id } });
    },
    () => t("articles.drafted"),
  );
}
