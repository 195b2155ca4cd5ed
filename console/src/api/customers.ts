/** The customers' files beyond what the desk shows: timeline, duplicates, import, segments, institutions. */
import type { Belongings, DuplicateGroupView, DuplicateView, FieldSpec, FieldValue, ImportJob, ImportProgress, InstitutionDetail, InstitutionHit, MergeView, ProfileView, Rule, SegmentView, TagView, TimelineItem } from "./cases";
import { call, get, patch, post, put, remove, send } from "./http";
import type { CustomerView, Page, RegistrationLinkView, VpnProfileView, VpnSecretView } from "./types";

export type { RegistrationLinkView, VpnProfileView, VpnSecretView } from "./types";

type Items<T> = { items: T[] };
export type Secret = "phone" | "email" | "id_number";
export type TimelineKind = TimelineItem["kind"];

export const timeline = (id: string, kinds: readonly TimelineKind[], cursor: string | null) =>
  get<Page<TimelineItem>>(`/customers/${id}/timeline`, { kind: kinds.join(","), cursor });
export const profile = (id: string) => get<ProfileView>(`/customers/${id}/profile`);
/** What an administrator defined in the settings, in order. */
export const customerFields = () => get<Items<FieldSpec>>("/customer-fields");
export const setCustom = (id: string, custom: Record<string, FieldValue>, version: number) =>
  put<ProfileView>(`/customers/${id}/custom`, { custom, version });
export const setSecret = (id: string, kind: string, value: string) =>
  put<ProfileView>(`/customers/${id}/secrets/${kind}`, { value });
export const reveal = (id: string, kind: string) => post<{ value: string }>(`/customers/${id}/secrets/${kind}/reveal`);

export const duplicatesOf = (id: string) => get<Items<DuplicateView>>(`/customers/${id}/duplicates`);
export const duplicateGroups = () => get<Items<DuplicateGroupView>>("/customer-duplicates");
export const belongings = (id: string) => get<Belongings>(`/customers/${id}/belongings`);
/** take: fields whose value the customer that goes gives. */
export const mergeCustomers = (id: string, gone_id: string, take: string[]) =>
  post<MergeView>(`/customers/${id}/merge`, { gone_id, take });
export const mergesOf = (id: string) => get<Items<MergeView>>(`/customers/${id}/merges`);
export const undoMerge = (id: string) => post<CustomerView>(`/customer-merges/${id}/undo`);

export const tagCustomers = (customer_ids: string[], add: string[], without: string[]) =>
  post<{ changed: number }>("/customer-tags", { customer_ids, add, remove: without });
export const customerTags = () => get<Items<TagView>>("/customer-tags");

export function importTable(kind: "customers" | "institutions", file: File, isDryRun: boolean): Promise<ImportJob> {
  const body = new FormData();
  body.set("file", file);
  return call<ImportJob>("POST", `/${kind}/import`, { body, query: { dry_run: isDryRun } });
}
export const importProgress = (id: string) => get<ImportProgress>(`/imports/${id}`);
export const cancelImport = (id: string) => post<ImportJob>(`/imports/${id}/cancel`);
export const importErrors = async (id: string): Promise<Blob> => (await send("GET", `/imports/${id}/errors`, { query: { format: "xlsx" } })).blob();

export async function exportCustomers(format: "xlsx" | "csv"): Promise<Blob> {
  return (await send("GET", "/customer-export", { query: { format } })).blob();
}

export const segments = () => get<Items<SegmentView>>("/segments");
export const addSegment = (body: { name: string; rule: Rule; is_shared: boolean }) =>
  post<SegmentView>("/segments", body);
export const changeSegment = (id: string, body: { name: string; rule: Rule; is_shared: boolean; version: number }) =>
  put<SegmentView>(`/segments/${id}`, body);
export const removeSegment = (id: string) => remove(`/segments/${id}`);
/** How many a rule describes now, and the newest of them. */
export const previewRule = (rule: Rule) => post<{ count: number; sample: CustomerView[] }>("/segment-previews", { rule });
export const segmentCustomers = (id: string, cursor: string | null) =>
  get<Page<CustomerView>>(`/segments/${id}/customers`, { cursor });

export type InstitutionDraft = Pick<
  InstitutionDetail,
  "name" | "parent_id" | "kind" | "region_code" | "product" | "product_version" | "contract_level" | "engineer_id" | "is_active"
>;
export const institutionTree = (parent_id: string | null, cursor: string | null = null) =>
  get<Page<InstitutionDetail>>("/institution-tree", { parent_id, cursor, limit: 200 });
export const institution = (id: string) => get<InstitutionDetail>(`/institutions/${id}`);
/** with_closed: also those that are offered to nobody any more. */
export const findInstitutions = (q: string, with_closed = false) => get<Items<InstitutionHit>>("/institution-search", { q, with_closed, limit: with_closed ? 50 : 10 });
export const addInstitution = (draft: InstitutionDraft) => post<InstitutionDetail>("/institutions", draft);
export const changeInstitution = (id: string, draft: InstitutionDraft, version: number) =>
  put<InstitutionDetail>(`/institutions/${id}`, { ...draft, version });
export const removeInstitution = (id: string) => remove(`/institutions/${id}`);

export interface Region {
  code: string;
  name: string;
  path: string[];
}
/** National divisions one level below `parent` (empty: the provinces). */
export const regions = (parent: string) => get<Items<Region>>("/regions", { parent });

export const vpnProfiles = (institution: string) => get<Items<VpnProfileView>>(`/institutions/${institution}/vpn-profiles`);
export const addVpn = (institution: string, draft: VpnSecretView & { name: string }) =>
  post<VpnProfileView>(`/institutions/${institution}/vpn-profiles`, draft);
/** Only what is given changes. */
export const changeVpn = (row: VpnProfileView, changes: Partial<VpnSecretView & { name: string }>) =>
  patch<VpnProfileView>(`/vpn-profiles/${row.id}`, { ...changes, version: row.version });
export const retireVpn = (id: string) => remove(`/vpn-profiles/${id}`);
/** The look is audited. */
export const revealVpn = (id: string) => post<VpnSecretView>(`/vpn-profiles/${id}/reveal`);

export type LinkDraft = Pick<RegistrationLinkView, "name" | "account_id" | "institution_id" | "team_id" | "product" | "product_version" | "expires_at">;
export const registrationLinks = () => get<Items<RegistrationLinkView>>("/registration-links");
export const addRegistrationLink = (draft: LinkDraft) => post<RegistrationLinkView>("/registration-links", draft);
export const retireRegistrationLink = (code: string) => remove(`/registration-links/${code}`);
export const registrationUrl = (code: string) => post<{ url: string }>(`/registration-links/${code}/url`);
export const registrationQr = async (code: string): Promise<Blob> =>
  (await send("GET", `/registration-links/${code}/qr`)).blob();
