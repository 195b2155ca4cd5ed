import { call, get, patch, post, remove, send, type Query } from "./http";
import type { ArticleChange, ArticleDraft, ArticleView, FoundArticle, ImportView, Page } from "./types";

export const articles = (query: Query) => get<Page<ArticleView>>("/articles", query);
export const article = (id: string) => get<ArticleView>(`/articles/${id}`);
export const addArticle = (body: ArticleDraft) => post<ArticleView>("/articles", body);
export const changeArticle = (id: string, body: ArticleChange) =>
  patch<ArticleView>(`/articles/${id}`, body);
export const removeArticle = (id: string) => remove(`/articles/${id}`);
export const searchArticles = (text: string, limit = 8) =>
  post<{ items: FoundArticle[] }>("/articles/search", { text, limit });

/** The steps of a draft towards readers; `note` says why. */
export type Step = "submit" | "approve" | "reject" | "discard";

export const stepArticle = (id: string, step: Step, version: number, note = "") =>
  post<ArticleView>(`/articles/${id}/${step}`, { note, version });

export function importArticles(file: File, dryRun: boolean): Promise<ImportView> {
  const body = new FormData();
  body.set("file", file);
  return call("POST", "/articles/import", { body, query: { dry_run: dryRun } });
}

export async function exportArticles(format: "jsonl" | "csv" | "xlsx"): Promise<Blob> {
  const response = await send("GET", "/articles/export", { query: { format } });
  return response.blob();
}
