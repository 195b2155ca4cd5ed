import { defineStore } from "pinia";
import { ref } from "vue";

/** What is typed and not yet sent, by session; survives switching between sessions. */
export const useDrafts = defineStore("drafts", () => {
  const texts = ref<Record<string, string>>({});
  /** Counts up when a text was put in from outside and the box should take the focus. */
  const insertions = ref(0);

  function insert(session: string, text: string): void {
    const known = texts.value[session] ?? "";
    texts.value[session] = known ? `${known}\n${text}` : text;
    insertions.value += 1;
  }

  return { texts, insertions, insert };
});
