/** The server's shapes by their own names. */
import type { components } from "./schema";

type Schemas = components["schemas"];

export type AccountView = Schemas["AccountView"];
export type ApiKeyView = Schemas["ApiKeyView"];
export type FoundLine = Schemas["FoundLineView"];
export type FoundArticle = Schemas["FoundArticle"];
export type ArticleChange = Schemas["ArticleChangeBody"];
export type ArticleDraft = Schemas["ArticleCreateBody"];
export type ArticleView = Schemas["ArticleView"];
export type AttachmentView = Schemas["AttachmentView"];
export type AuditView = Schemas["AuditView"];
export type ConclusionProposal = Schemas["ProposalView"];
export type Content = Schemas["MessageView"]["content"];
export type CustomerView = Schemas["CustomerView"];
export type DashboardView = Schemas["DashboardView"];
export type DecisionView = Schemas["DecisionView"];
export type Delivery = Schemas["Delivery"];
export type DeviceView = Schemas["DeviceView"];
export type Event = Schemas["Event"];
export type ImportView = Schemas["ImportView"];
export type InstitutionView = Schemas["InstitutionView"];
export type Media = Schemas["Media"];
export type MenuItem = Schemas["MenuItem"];
export type MessageView = Schemas["MessageView"];
export type MeView = Schemas["MeView"];
export type NoteView = Schemas["NoteView"];
export type OaAnswer = Schemas["OaAnswer"];
export type OaConflict = Schemas["OaConflict"];
export type OaOverview = Schemas["OaOverview"];
export type Presence = Schemas["Presence"];
export type Problem = Schemas["Problem"];
export type QueueBoard = Schemas["QueueBoard"];
export type RatingView = Schemas["RatingView"];
export type ReadMarkView = Schemas["ReadMarkView"];
export type RecentWaits = Schemas["RecentWaits"];
export type RegistrationLinkView = Schemas["RegistrationLinkView"];
export type ReplyView = Schemas["ReplyView"];
export type ReplyWindowView = Schemas["ReplyWindowView"];
export type Role = Schemas["Role"];
export type ServiceMode = Schemas["ServiceMode"];
export type ServicerView = Schemas["ServicerView"];
export type SessionState = Schemas["SessionState"];
export type SessionTagView = Schemas["SessionTagView"];
export type SessionView = Schemas["SessionView"];
export type SettingView = Schemas["SettingView"];
export type SystemView = Schemas["SystemView"];
export type TokenView = Schemas["TokenView"];
export type UserChange = Schemas["UserChangeBody"];
export type UserView = Schemas["UserView"];
export type BotFigures = Schemas["BotFigures"];
export type IndexView = Schemas["IndexView"];
export type MiningView = Schemas["MiningView"];
export type CalibrationView = Schemas["CalibrationView"];
export type CategoryView = Schemas["CategoryView"];
export type FieldChange = Schemas["FieldChange"];
export type GapView = Schemas["GapView"];
export type HitView = Schemas["HitView"];
export type Impact = Schemas["Impact"];
export type KnownQuestionView = Schemas["KnownQuestionView"];
export type KnownImport = Schemas["KnownImport"];
export type LabelView = Schemas["LabelView"];
export type ReplayView = Schemas["ReplayView"];
export type RevisionView = Schemas["RevisionView"];
export type SynonymView = Schemas["SynonymView"];

export type VpnProfileView = Schemas["VpnProfileView"];
export type VpnSecretView = Schemas["VpnSecretView"];

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
