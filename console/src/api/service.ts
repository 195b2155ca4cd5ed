/** How service is organised: teams, calendars, promises, reviews. */
import type { BindingView, CalendarDayView, CalendarView, DueView, MemberView, Priority, RecommendationView, ReviewView, SampleView, ScoreCardView, ScoreItem, ShiftView, SkillView, SlaPolicyView, TeamFigures, TeamService, TeamView } from "./cases";
import { get, post, put, remove } from "./http";
import type { Page } from "./types";

type Items<T> = { items: T[] };
export type TeamDraft = Omit<TeamView, "id" | "leader_name" | "version">;
export type CalendarDraft = Pick<CalendarView, "name" | "week" | "make_up" | "follows_holidays" | "is_default">;
export type PolicyDraft = Omit<SlaPolicyView, "id" | "version">;
export interface DayDraft {
  day: string;
  kind: "closed" | "make_up" | "custom";
  periods: Array<[string, string]>;
  name: string;
}
export type ShiftDraft = Omit<ShiftView, "id">;
export interface DueQuestion {
  start: string;
  priority: Priority;
  category_id: string | null;
  team_id: string | null;
  institution_id: string | null;
  contract_level: string;
}

export const teams = () => get<Items<TeamView>>("/teams");
export const addTeam = (draft: TeamDraft) => post<TeamView>("/teams", draft);
export const changeTeam = (id: string, draft: TeamDraft, version: number) =>
  put<TeamView>(`/teams/${id}`, { ...draft, version });
export const teamMembers = (id: string) => get<Items<MemberView>>(`/teams/${id}/members`);
export const teamService = (id: string, since: string, until: string) =>
  get<TeamService>(`/teams/${id}/service`, { since, until });
export const teamFigures = (id: string, since: string, until: string) =>
  get<TeamFigures>(`/teams/${id}/figures`, { since, until });
export const skills = () => get<Items<SkillView>>("/skills");
export const addSkill = (name: string) => post<SkillView>("/skills", { name });
export const setSkills = (servicer: string, levels: Record<string, number>) =>
  put<undefined>(`/servicers/${servicer}/skills`, { levels });
/** Bindings that hold for a customer, own or inherited from the institution. */
export const bindingsOf = (customer: string) => get<Items<BindingView>>(`/customers/${customer}/bindings`);
export const bindings = (subject_kind: BindingView["subject_kind"], subject_id: string, with_history = false) =>
  get<Items<BindingView>>("/bindings", { subject_kind, subject_id, with_history });
/** team_id null ends the binding; what holds now is returned. */
export const bind = (
  body: Pick<BindingView, "subject_kind" | "subject_id" | "rank" | "reason"> & { team_id: string | null },
) => put<Items<BindingView>>("/bindings", body);
export const recommendations = (about: { customer_id?: string; institution_id?: string }) =>
  get<Items<RecommendationView>>("/team-recommendations", about);

export const calendars = () => get<Items<CalendarView>>("/calendars");
export const addCalendar = (draft: CalendarDraft) => post<CalendarView>("/calendars", draft);
export const changeCalendar = (id: string, draft: CalendarDraft, version: number) =>
  put<CalendarView>(`/calendars/${id}`, { ...draft, version });
export const calendarDays = (id: string, first: string, last: string) =>
  get<Items<CalendarDayView>>(`/calendars/${id}/days`, { first, last });
export const setDays = (id: string, days: DayDraft[]) => put<undefined>(`/calendars/${id}/days`, { days });
export const clearDay = (id: string, day: string) => remove(`/calendars/${id}/days/${day}`);
export interface Reckoned {
  is_open: boolean;
  next_open: string | null;
  due_at: string;
}
export const reckon = (calendar_id: string | null, start: string, business_s: number) =>
  post<Reckoned>("/calendar-reckonings", { calendar_id, start, business_s });
export const importDays = (id: string, text: string) => post<{ days: number }>(`/calendars/${id}/days/import`, { text });
export const roster = (since: string, until: string, team_id: string | null) =>
  get<Items<ShiftView>>("/roster", { since, until, team_id });
export const addShift = (draft: ShiftDraft) => post<ShiftView>("/roster", draft);
export const removeShift = (id: string) => remove(`/roster/${id}`);

export const policies = () => get<Items<SlaPolicyView>>("/sla-policies");
export const addPolicy = (draft: PolicyDraft) => post<SlaPolicyView>("/sla-policies", draft);
export const changePolicy = (id: string, draft: PolicyDraft, version: number) =>
  put<SlaPolicyView>(`/sla-policies/${id}`, { ...draft, version });
export const wouldBeDue = (question: DueQuestion) => post<DueView>("/sla-reckonings", question);

export const scoreCards = () => get<Items<ScoreCardView>>("/score-cards");
export const addScoreCard = (name: string, items: ScoreItem[]) => post<ScoreCardView>("/score-cards", { name, items });
export const retireScoreCard = (id: string) => post<ScoreCardView>(`/score-cards/${id}/retire`);
export const reviews = (servicer_id: string, cursor: string | null) =>
  get<Page<ReviewView>>("/reviews", { servicer_id, cursor });
export const writeReview = (
  body: Pick<ReviewView, "subject_kind" | "subject_id" | "card_id" | "scores" | "comment">,
) => post<ReviewView>("/reviews", body);
export const appealReview = (id: string, text: string) => post<ReviewView>(`/reviews/${id}/appeal`, { text });
export const answerAppeal = (id: string, text: string) => post<ReviewView>(`/reviews/${id}/appeal-answer`, { text });
export const sample = (kind: SampleView["subject_kind"], since: string, size: number) =>
  get<Items<SampleView>>("/review-samples", { kind, since, size });
