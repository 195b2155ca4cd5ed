/** What the base learns from use: gaps, calibrations, the bot's answers. */
import { call, get, post, put, type Query } from "./http";
import type { ArticleView, BotFigures, CalibrationView, DecisionView, GapView, IndexView, KnownImport, KnownQuestionView, LabelView, MiningView, Page, ReplayView } from "./types";

export const gaps = (query: Query) => get<Page<GapView>>("/gaps", query);
export const gap = (id: string) => get<GapView>(`/gaps/${id}`);
export const mining = () => get<MiningView>("/gaps/mining");
export const mineNow = () => post<MiningView>("/gaps/mining");
export const assignGap = (row: GapView, owner_id: string | null, due_at: string | null) =>
  post<GapView>(`/gaps/${row.id}/assign`, { owner_id, due_at, version: row.version });
export const draftGap = (row: GapView) => post<ArticleView>(`/gaps/${row.id}/draft`, { version: row.version });
export const moveGap = (row: GapView, step: "dismiss" | "reopen") =>
  post<GapView>(`/gaps/${row.id}/${step}`, { version: row.version });

export const calibrations = () => get<{ items: CalibrationView[] }>("/calibrations");
export const refit = (target: number, activate: boolean) =>
  post<CalibrationView>("/calibrations", { target, activate });
export const thresholdChanges = (id: string, threshold: number) =>
  get<{ items: LabelView[] }>(`/calibrations/${id}/changes`, { threshold });
export const activate = (id: string) => post<CalibrationView>(`/calibrations/${id}/activate`);
export const deactivate = () => call<undefined>("DELETE", "/calibrations/active");

export const decisions = (query: Query) => get<Page<DecisionView>>("/decisions", query);
export const replay = (id: string) => post<ReplayView>(`/decisions/${id}/replay`);
export const correct = (id: string, article_id: string | null) =>
  post<DecisionView>(`/decisions/${id}/correction`, { article_id });
export const tryQuestion = (question: string) => post<DecisionView>("/bot/ask", { question });
/** How far the bot is in taking in what was published. */
export const botIndex = () => get<IndexView>("/bot/index");
export const botFigures = (since: string, until: string) => get<BotFigures>("/bot/figures", { since, until });

export const knownQuestions = (query: Query) => get<Page<KnownQuestionView>>("/known-questions", query);
/** article null: nothing answers it, and the bot must not try. */
export const putKnown = (question: string, article_id: string | null) =>
  put<KnownQuestionView>("/known-questions", { question, article_id });
export const removeKnown = (id: string) => call<undefined>("DELETE", `/known-questions/${id}`);
export const importKnown = (text: string) => post<KnownImport>("/known-questions/import", { text });
