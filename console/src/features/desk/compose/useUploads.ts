import { ElMessage } from "element-plus";
import { onScopeDispose, ref } from "vue";

import { upload } from "@/api/attachments";
import { newKey } from "@/api/http";
import { ApiError } from "@/api/problem";
import type { AttachmentView, Content } from "@/api/types";
import { t } from "@/locales";

const LARGEST = 20 * 1024 * 1024;

export interface Upload {
  key: string;
  name: string;
  size: number;
  isImage: boolean;
  previewUrl: string;
  progress: number;
  error: string;
  done: Promise<AttachmentView | null>;
}

/** Files chosen for the next message: they travel at once and are sent when the servicer says so. */
export function useUploads() {
  const items = ref<Upload[]>([]);

  function add(files: File[]): void {
    for (const file of files) {
      if (file.size > LARGEST) ElMessage.warning(t("compose.too_big", { name: file.name }));
      else start(file);
    }
  }

  function start(file: File): void {
    const key = newKey();
    const isImage = /^image\/(png|jpeg|gif|webp)$/.test(file.type);
    const previewUrl = isImage ? URL.createObjectURL(file) : "";
    const facts = { key, name: file.name, size: file.size, isImage, previewUrl, progress: 0, error: "" };
    const done = upload(file, (share) => change(key, { progress: share })).catch((reason: unknown) => {
      change(key, { error: reason instanceof ApiError ? reason.message : t("compose.upload_failed") });
      return null;
    });
    items.value.push({ ...facts, done });
  }

  function change(key: string, facts: Partial<Upload>): void {
    const item = items.value.find((row) => row.key === key);
    if (item) Object.assign(item, facts);
  }

  function remove(key: string): void {
    const item = items.value.find((row) => row.key === key);
    if (item?.previewUrl) URL.revokeObjectURL(item.previewUrl);
    items.value = items.value.filter((row) => row.key !== key);
  }

  /** What arrived, as contents; what failed stays in the tray. */
  async function take(): Promise<Content[]> {
    const contents: Content[] = [];
    for (const item of [...items.value]) {
      const stored = await item.done;
      if (!stored) continue;
      contents.push(contentOf(stored));
      remove(item.key);
    }
    return contents;
  }

  onScopeDispose(() => items.value.forEach((item) => item.previewUrl && URL.revokeObjectURL(item.previewUrl)));
  return { items, add, remove, take };
}

function contentOf(stored: AttachmentView): Content {
  const { id, name, mime, size, kind } = stored;
  return { type: kind, media: { vendor_ref: null, attachment_id: id, name, mime, size } };
}
