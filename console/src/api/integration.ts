import { call, get, post } from "./http";
import type { ApiKeyView, Page } from "./types";

export const apiKeys = () => get<Page<ApiKeyView>>("/api-keys");
export const makeApiKey = (body: { name: string; permissions: string[]; expires_at: string | null }) =>
  post<{ key: ApiKeyView; secret: string }>("/api-keys", body);
export const revokeApiKey = (id: string) => call<ApiKeyView>("DELETE", `/api-keys/${id}`);
