import { defineStore } from "pinia";
import { shallowRef } from "vue";

import { article } from "@/api/knowledge";

/** Questions of the articles that messages cite, fetched once each. */
export const useArticleTitles = defineStore("article-titles", () => {
  const rows = shallowRef<Readonly<Record<string, string>>>({});
  const asked = new Set<string>();

  async function fetchOne(id: string): Promise<void> {
    asked.add(id);
    const title = await article(id).then(
      (found) => found.question,
      () => "",
    );
    rows.value = { ...rows.value, [id]: title };
  }

  /** Empty until it is known. */
  function of(id: string): string {
    if (!asked.has(id)) void fetchOne(id);
    return rows.value[id] ?? "";
  }

  return { rows, of };
});
