import { get, patch, post, put, remove, type Query } from "./http";
import type { AuditView, Page, ReplyView, SettingView, SystemView } from "./types";

export type ReplyDraft = Pick<ReplyView, "shortcut" | "title" | "text" | "scope" | "team_id">;

export const replies = () => get<Page<ReplyView>>("/replies", { limit: 200 });
export const addReply = (body: ReplyDraft) => post<ReplyView>("/replies", body);
export const changeReply = (id: string, body: Partial<ReplyDraft> & { version: number }) => patch<ReplyView>(`/replies/${id}`, body);
export const removeReply = (id: string) => remove(`/replies/${id}`);

export const settings = () => get<SettingView[]>("/settings");
export const changeSetting = (key: string, value: unknown, version: number) =>
  put<SettingView>(`/settings/${key}`, { value, version });

export const audit = (query: Query) => get<Page<AuditView>>("/audit", query);
export const system = () => get<SystemView>("/system");
