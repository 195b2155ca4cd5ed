import { call, get, patch, post, put, remove, send, type Query } from "./http";
import type { ArticleChange, ArticleDraft, ArticleView, CategoryView, FieldChange, FoundArticle, HitView, Impact, ImportView, Page, RevisionView, SynonymView } from "./types";

export const articles = (query: Query) => get<Page<ArticleView>>("/articles", query);
export const article = (id: string) => get<ArticleView>(`/articles/${id}`);
export const addArticle = (body: ArticleDraft) => post<ArticleView>("/articles", body);
export const changeArticle = (id: string, body: ArticleChange) =>
  patch<ArticleView>(`/articles/${id}`, body);
export const removeArticle = (id: string) => remove(`/articles/${id}`);
export const searchArticles = (text: string, limit = 8) =>
  post<{ items: FoundArticle[] }>("/articles/search", { text, limit });

/** A session or ticket as an article that waits for review. */
export const articleFromSession = (id: string) => post<ArticleView>(`/sessions/${id}/article-draft`);
export const articleFromTicket = (id: string) => post<ArticleView>(`/tickets/${id}/article-draft`);

/** The steps of a draft towards readers; `note` says why. */
export type Step = "submit" | "approve" | "reject" | "discard";

export const stepArticle = (id: string, step: Step, version: number, note = "") =>
  post<ArticleView>(`/articles/${id}/${step}`, { note, version });

export function importArticles(file: File, dryRun: boolean): Promise<ImportView> {
  const body = new FormData();
  body.set("file", file);
  return call("POST", "/articles/import", { body, query: { dry_run: dryRun } });
}

export async function exportArticles(format: "jsonl" | "csv" | "xlsx" | "zip"): Promise<Blob> {
  const response = await send("GET", "/articles/export", { query: { format } });
  return response.blob();
}

type Items<T> = { items: T[] };

/** Full-text: words in any order, or pinyin initials, with highlights. */
export const findArticles = (query: Query) => get<Page<HitView> & { total: number }>("/articles/find", query);
export const revisions = (id: string) => get<Items<RevisionView>>(`/articles/${id}/revisions`);
export const difference = (id: string, before: number, after: number) =>
  get<Items<FieldChange>>(`/articles/${id}/diff`, { before, after });
export const rollBack = (id: string, number: number, version: number) =>
  post<ArticleView>(`/articles/${id}/roll-back`, { number, version });
/** Which known questions would be answered otherwise. */
export const impactOf = (id: string, step: "publish" | "archive") => post<Impact>(`/articles/${id}/impact`, { step });
export const impactOfRollBack = (id: string, number: number) => post<Impact>(`/articles/${id}/impact`, { step: "roll_back", number });

export const categories = () => get<Items<CategoryView>>("/categories");
export const addCategory = (path: string) => post<CategoryView>("/categories", { path });
export const moveCategory = (path: string, to: string, position?: number) =>
  post<CategoryView>("/categories/move", { path, to, position });
export const removeCategory = (path: string) => call<undefined>("DELETE", "/categories", { query: { path } });

export const synonyms = () => get<Items<SynonymView>>("/synonyms");
export const putSynonym = (row: SynonymView) => put<SynonymView>("/synonyms", row);
export const removeSynonym = (term: string) => call<undefined>("DELETE", "/synonyms", { query: { term } });
export const replaceSynonyms = (text: string) => put<Items<SynonymView>>("/synonyms/table", { text });
