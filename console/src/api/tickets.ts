import type { Action, FieldValue, FollowUpView, Priority, Reach, RemoteAssistanceView, RemoteTool, SavedFilterView, SimilarTicketView, SlaClockView, TicketCategoryView, TicketEntryView, TicketLinkView, TicketProposal, TicketState, TicketView } from "./cases";
import { get, patch, post, put, remove, type Query } from "./http";
import type { Page } from "./types";

export interface TicketDraft {
  title: string;
  customer_id: string;
  description?: string;
  category_id?: string | null;
  priority?: Priority | null;
  session_id?: string | null;
  team_id?: string | null;
  servicer_id?: string | null;
  fields?: Record<string, FieldValue>;
  tags?: string[];
  attachment_ids?: string[];
}

export type TicketChange = Partial<Pick<TicketView, "title" | "description" | "priority" | "category_id" | "fields">> & {
  tags?: string[];
};

export interface Handover {
  servicer_id?: string | null;
  team_id?: string | null;
  note?: string;
}

export interface BulkWork {
  action?: Action;
  text?: string;
  priority?: Priority;
  servicer_id?: string;
  team_id?: string;
}

/** refused: ticket id → code. */
export interface BulkResult {
  done: string[];
  refused: Record<string, string>;
}

export interface FilterDraft {
  name: string;
  query: Record<string, unknown>;
  columns: string[];
  is_shared: boolean;
}

export type CategoryDraft = Omit<TicketCategoryView, "id" | "path" | "version">;

export interface Line {
  text: string;
  is_public: boolean;
  attachment_ids: string[];
}

/** One ticket with all that its page shows. */
export interface TicketDetail {
  ticket: TicketView;
  actions: Action[];
  sla: SlaClockView[];
  links: TicketLinkView[];
  follow_ups: FollowUpView[];
  remote: RemoteAssistanceView[];
  reach: Reach;
}

interface Items<T> {
  items: T[];
}

export const tickets = (query: Query) => get<Page<TicketView>>("/tickets", query);
export const ticketBoard = (query: Query) => get<Items<{ state: TicketState; count: number }>>("/ticket-board", query);
export const ticketByNumber = (number: string) => get<TicketView>(`/ticket-numbers/${encodeURIComponent(number)}`);
export const ticket = (id: string) => get<TicketDetail>(`/tickets/${id}`);
export const ticketProposal = (session: string) => get<TicketProposal>(`/sessions/${session}/ticket-proposal`);
export const openTicket = (draft: TicketDraft) => post<TicketView>("/tickets", draft);
export const changeTicket = (id: string, changes: TicketChange, version: number) =>
  patch<TicketView>(`/tickets/${id}`, { ...changes, version });
export const moveTicket = (id: string, action: Action, text: string, version: number) =>
  post<TicketView>(`/tickets/${id}/actions`, { action, text, version });
export const assignTicket = (id: string, to: Handover) => post<TicketView>(`/tickets/${id}/assign`, to);
export const claimTicket = (id: string) => post<TicketView>(`/tickets/${id}/claim`);
export const changeTickets = (ids: string[], work: BulkWork) => post<BulkResult>("/tickets/bulk", { ids, ...work });

export const ticketEntries = (id: string, cursor: string | null = null) =>
  get<Page<TicketEntryView>>(`/tickets/${id}/entries`, { cursor, limit: 100 });
/** is_public: the customer reads it; otherwise a note among colleagues. */
export const writeOnTicket = (id: string, line: Line) => post<TicketEntryView>(`/tickets/${id}/entries`, line);

export const customerLink = (id: string) => post<{ url: string }>(`/tickets/${id}/customer-link`);
export const similarTo = (id: string) => get<Items<SimilarTicketView>>(`/tickets/${id}/similar`);

export const planFollowUp = (id: string, text: string, due_at: string) =>
  post<FollowUpView>(`/tickets/${id}/follow-ups`, { text, due_at });
export const finishFollowUp = (id: string, result: string) => post<FollowUpView>(`/follow-ups/${id}/finish`, { result });

export const linkTickets = (id: string, other_id: string, kind: TicketLinkView["kind"]) =>
  post<undefined>(`/tickets/${id}/links`, { other_id, kind });
export const unlinkTickets = (id: string, other_id: string) => remove(`/tickets/${id}/links/${other_id}`);
export const mergeTickets = (id: string, into_id: string) => post<TicketView>(`/tickets/${id}/merge`, { into_id });
export const splitTicket = (id: string, draft: TicketDraft) => post<TicketView>(`/tickets/${id}/split`, draft);

export interface AssistanceDraft {
  tool: RemoteTool;
  purpose: string;
  vpn_profile_id: string | null;
}
export const askAssistance = (id: string, draft: AssistanceDraft) => post<RemoteAssistanceView>(`/tickets/${id}/remote`, draft);
export const startAssistance = (id: string) => post<RemoteAssistanceView>(`/remote/${id}/start`);
export const recordOralConsent = (id: string, given_by: string) =>
  post<RemoteAssistanceView>(`/remote/${id}/oral-consent`, { given_by });
export const endAssistance = (id: string, result: string) =>
  post<RemoteAssistanceView>(`/remote/${id}/end`, { result });

/** Tickets about the same thing as a text. */
export const similarToText = (text: string, category_id: string | null, customer_id: string | null) =>
  post<Items<SimilarTicketView>>("/similar-tickets", { text, category_id, customer_id });

export const savedFilters = () => get<Items<SavedFilterView>>("/ticket-filters");
export const saveFilter = (draft: FilterDraft) => post<SavedFilterView>("/ticket-filters", draft);
export const removeFilter = (id: string) => remove(`/ticket-filters/${id}`);

export const ticketCategories = () => get<Items<TicketCategoryView>>("/ticket-categories");
export const addTicketCategory = (draft: CategoryDraft) => post<TicketCategoryView>("/ticket-categories", draft);
export const changeTicketCategory = (id: string, draft: CategoryDraft, version: number) =>
  put<TicketCategoryView>(`/ticket-categories/${id}`, { ...draft, version });
