import { accessToken, BASE, post, send, wording } from "./http";
import { ApiError } from "./problem";
import type { AttachmentView } from "./types";

/** The file's bytes, fetched with the token, as an address that img and video understand. */
export async function attachmentUrl(id: string, isThumb: boolean): Promise<string> {
  const response = await send("GET", `/attachments/${id}`, { query: { thumb: isThumb ? 1 : undefined } });
  return URL.createObjectURL(await response.blob());
}

/** A signed address, good for a minute, for the browser's own download. */
export const attachmentTicket = (id: string) => post<{ url: string }>(`/attachments/${id}/ticket`);

/** fetch tells nothing about progress, hence XMLHttpRequest. onProgress: 0…1. */
export async function upload(file: File, onProgress: (share: number) => void): Promise<AttachmentView> {
  const token = await accessToken();
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", `${BASE}/attachments`);
    request.setRequestHeader("Authorization", `Bearer ${token}`);
    request.setRequestHeader("Accept-Language", wording.language);
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.total ? event.loaded / event.total : 0);
    request.onerror = () => reject(new ApiError({ title: wording.offline, status: 0, code: "offline" }));
    request.onload = () => {
      const { status, response } = request;
      if (status < 300) resolve(response as AttachmentView);
      else reject(new ApiError({ title: wording.broken, code: "unknown", ...(response as object | null), status }));
    };
    const body = new FormData();
    body.set("file", file);
    request.send(body);
  });
}
