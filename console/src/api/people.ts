import { get, patch, post, put, type Query } from "./http";
import type { AccountView, CustomerView, InstitutionView, Page, Presence, ServiceMode, ServicerView, SessionView, UserChange, UserView } from "./types";

export const users = () => get<Page<UserView>>("/users", { limit: 200 });
export const addUser = (body: { username: string; name: string; role: UserView["role"]; password: string }) =>
  post<UserView>("/users", body);
export const changeUser = (id: string, body: UserChange) =>
  patch<UserView>(`/users/${id}`, body);

export const servicers = () => get<Page<ServicerView>>("/servicers", { limit: 200 });
export const addServicer = (body: { user_id: string; name: string; wecom_userid: string | null; capacity: number }) =>
  post<ServicerView>("/servicers", body);
export const changeServicer = (
  id: string,
  body: { name?: string; capacity?: number; wecom_userid?: string | null; version: number },
) => patch<ServicerView>(`/servicers/${id}`, body);
export const setPresence = (presence: Presence, keeps_sessions?: boolean) =>
  put<ServicerView>("/servicers/me/presence", { presence, ...(keeps_sessions === undefined ? {} : { keeps_sessions }) });

export const accounts = () => get<Page<AccountView>>("/accounts");
export const changeAccount = (id: string, body: { mode?: ServiceMode; is_active?: boolean; team_id?: string | null; version: number }) =>
  patch<AccountView>(`/accounts/${id}`, body);
export const accountLink = (id: string, scene: string) => post<{ url: string }>(`/accounts/${id}/link`, { scene });

export const customers = (query: Query) => get<Page<CustomerView>>("/customers", query);
export const customer = (id: string) => get<CustomerView>(`/customers/${id}`);
export const changeCustomer = (
  id: string,
  body: { name?: string; note?: string; tags?: string[]; institution_id?: string | null; version: number },
) => patch<CustomerView>(`/customers/${id}`, body);
export const customerSessions = (id: string) => get<Page<SessionView>>(`/customers/${id}/sessions`);
export const institutions = (q: string) => get<Page<InstitutionView>>("/institutions", { q });
