import { get, post, put, type Query } from "./http";
import type { ConclusionProposal, FoundArticle, FoundLine, Content, DashboardView, DecisionView, MessageView, NoteView, Page, QueueBoard, RatingView, ReadMarkView, RecentWaits, SessionTagView, SessionView } from "./types";

export interface Transcript {
  items: MessageView[];
  has_more: boolean;
}

export interface Outgoing {
  content: Content;
  client_id: string;
  source?: { article_id: string };
  hold_if_closed?: boolean;
}

export const sessions = (query: Query) => get<Page<SessionView>>("/sessions", query);
export const session = (id: string) => get<SessionView>(`/sessions/${id}`);
export const messages = (id: string, query: Query = {}) => get<Transcript>(`/sessions/${id}/messages`, query);
export const send = (id: string, outgoing: Outgoing) => post<MessageView[]>(`/sessions/${id}/messages`, outgoing);
export const recall = (id: string, message_id: string) => post<MessageView>(`/sessions/${id}/recall`, { message_id });
export const notes = (id: string) => get<Page<NoteView>>(`/sessions/${id}/notes`);
export const rating = (id: string) => get<RatingView>(`/sessions/${id}/rating`);
export const addNote = (id: string, text: string) => post<NoteView>(`/sessions/${id}/notes`, { text });
export const claim = (id: string) => post<SessionView>(`/sessions/${id}/claim`);
export const takeover = (id: string) => post<SessionView>(`/sessions/${id}/takeover`);
/** An empty category_id: none. */
export interface Conclusion {
  summary: string;
  category_id: string;
}
export const close = (id: string, conclusion: Conclusion) =>
  post<SessionView>(`/sessions/${id}/close`, { reason: "resolved", ...conclusion });
export const proposal = (id: string) => get<ConclusionProposal>(`/sessions/${id}/conclusion`);
export const conclude = (id: string, conclusion: Conclusion) => put<SessionView>(`/sessions/${id}/conclusion`, conclusion);
export const tagSession = (id: string, add: readonly string[], remove: readonly string[]) =>
  post<SessionView>(`/sessions/${id}/tags`, { add, remove });
export const sessionTags = () => get<{ items: SessionTagView[] }>("/session-tags");
/** Neither a servicer nor a team: back to the queue. */
export interface TransferTarget {
  servicer_id?: string;
  team_id?: string;
}
export const transfer = (id: string, to: TransferTarget, note: string) =>
  post<SessionView>(`/sessions/${id}/transfer`, { ...to, note });
export const markRead = (id: string, seq: number) => post<undefined>(`/sessions/${id}/read`, { seq });
export const readMarks = () => get<{ items: ReadMarkView[] }>("/read-marks");
export const history = (query: Query) => get<Page<FoundLine>>("/messages", query);
export const queue = () => get<QueueBoard>("/queue");
export const recentWaits = () => get<RecentWaits>("/queue/waits");
export const suggestions = (id: string) => get<{ items: FoundArticle[] }>(`/sessions/${id}/suggestions`);
export const decisions = (id: string) => get<{ items: DecisionView[] }>(`/sessions/${id}/decisions`);
export const dashboard = () => get<DashboardView>("/dashboard");
