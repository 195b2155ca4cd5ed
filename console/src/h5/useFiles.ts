import { ref, shallowRef } from "vue";

import type { SentFile } from "./api";

const MOST = 5;

/** Files that wait to go with a reply or a form. */
export function useFiles(send: (file: File) => Promise<SentFile>, ask: (work: () => Promise<void>) => Promise<boolean>) {
  const files = shallowRef<readonly SentFile[]>([]);
  const isSending = ref(false);

  async function pick(event: Event): Promise<void> {
    const input = event.target as HTMLInputElement;
    const chosen = [...(input.files ?? [])].slice(0, MOST - files.value.length);
    isSending.value = true;
    await ask(async () => {
      for (const file of chosen) files.value = [...files.value, await send(file)];
    });
    isSending.value = false;
    input.value = "";
  }
  const drop = (file: SentFile): void => {
    files.value = files.value.filter((one) => one !== file);
  };
  const clear = (): void => {
    files.value = [];
  };
  return { files, isSending, pick, drop, clear };
}
