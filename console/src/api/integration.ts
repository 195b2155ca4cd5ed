import { call, get, post, remove } from "./http";
import type { ApiKeyView, OaAnswer, OaConflict, OaOverview, Page } from "./types";

export const apiKeys = () => get<Page<ApiKeyView>>("/api-keys");
export const makeApiKey = (body: { name: string; permissions: string[]; expires_at: string | null }) =>
  post<{ key: ApiKeyView; secret: string }>("/api-keys", body);
export const revokeApiKey = (id: string) => call<ApiKeyView>("DELETE", `/api-keys/${id}`);

export type OaKind = "institution" | "contact" | "staff";
export const oa = () => get<OaOverview>("/oa");
export const oaConflicts = (cursor?: string) => get<Page<OaConflict>>("/oa/conflicts", { cursor });
export const retryOa = (id: string) => post<OaAnswer>(`/oa/conflicts/${id}/retry`);
export const linkOaConflict = (id: string) => post<OaAnswer>(`/oa/conflicts/${id}/link`);
export const dropOaConflict = (id: string) => remove(`/oa/conflicts/${id}`);
export const linkOa = (kind: OaKind, oa_id: string, own_id: string) => post<undefined>("/oa/links", { kind, oa_id, own_id });
export const unlinkOa = (kind: OaKind, oaId: string) => remove(`/oa/links/${kind}/${encodeURIComponent(oaId)}`);
export const pullOa = () => post<undefined>("/oa/pull");
export function tryOaFile(file: File, kind: OaKind, dry_run: boolean): Promise<OaAnswer> {
  const form = new FormData();
  form.append("file", file);
  return call<OaAnswer>("POST", "/oa/files", { query: { kind, dry_run }, body: form });
}
