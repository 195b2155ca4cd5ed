import { onScopeDispose, ref, watch, type Ref } from "vue";

import { attachmentTicket, attachmentUrl } from "@/api/attachments";
import type { Media } from "@/api/types";

export type MediaState = "fetching" | "ready" | "gone" | "failed";

/** The file of a message as an address for img and video, released with the component. */
export function useAttachment(media: () => Media, isThumb: boolean) {
  const url = ref("");
  const state: Ref<MediaState> = ref("fetching");

  const release = (): void => {
    if (url.value) URL.revokeObjectURL(url.value);
    url.value = "";
  };

  async function load(id: string | null | undefined): Promise<void> {
    release();
    state.value = "fetching";
    if (!id) return;
    try {
      url.value = await attachmentUrl(id, isThumb);
      state.value = "ready";
    } catch (reason) {
      state.value = (reason as { status?: number }).status === 404 ? "gone" : "failed";
    }
  }

  watch(() => media().attachment_id, load, { immediate: true });
  onScopeDispose(release);
  return { url, state };
}

/** Lets the browser save the file itself, through an address that is good for a minute. */
export async function download(media: Media): Promise<void> {
  if (!media.attachment_id) return;
  const { url } = await attachmentTicket(media.attachment_id);
  const link = document.createElement("a");
  link.href = url;
  link.download = media.name ?? "";
  link.click();
}
