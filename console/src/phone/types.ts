/** The shapes of the sandbox's phone API; described in channels/wecom/sandbox/README.md. */
export interface Person {
  userid: string;
  name: string;
  avatar: string;
}

export interface MediaBody {
  media_id?: string;
  url?: string;
  name?: string;
  size?: number;
}

export interface MenuLine {
  type: "click" | "view" | "miniprogram" | "text";
  click?: { id: string; content: string };
  view?: { url: string; content: string };
  miniprogram?: { appid: string; pagepath: string; content: string };
  text?: { content: string; no_newline?: number };
}

export interface CardAction {
  title?: string;
  type?: number;
  url?: string;
}

export interface TemplateCard {
  card_type: string;
  task_id?: string;
  source?: { desc?: string };
  main_title?: { title?: string; desc?: string };
  sub_title_text?: string;
  emphasis_content?: { title?: string; desc?: string };
  quote_area?: { title?: string; quote_text?: string };
  horizontal_content_list?: { keyname: string; value?: string }[];
  button_list?: { text: string; key?: string; style?: number; type?: number }[];
  jump_list?: { title: string; url?: string }[];
  card_action?: CardAction;
  replace_name?: string | null;
  is_done?: boolean;
}

/** One line of a chat. `msgtype` names the object beside it. */
export interface Entry {
  seq: number;
  msgid: string;
  at: number;
  side: "customer" | "account" | "servicer" | "app" | "member";
  servicer: Person | null;
  msgtype: string;
  is_recalled: boolean;
  fail_type: number | null;
  can_recall: boolean;
  is_rejected: boolean;
  text?: { content: string };
  markdown?: { content: string };
  image?: MediaBody;
  voice?: MediaBody;
  video?: MediaBody;
  file?: MediaBody;
  link?: { title?: string; desc?: string; url?: string; thumb_url?: string };
  location?: { name?: string; address?: string; latitude: number; longitude: number };
  miniprogram?: { title?: string; appid?: string };
  msgmenu?: { head_content?: string; list: MenuLine[]; tail_content?: string };
  textcard?: { title: string; description?: string; url?: string };
  template_card?: TemplateCard;
}

export interface Thread {
  open_kfid: string;
  account: string;
  external_userid: string;
  customer: string;
  organisation: string;
  state: 0 | 1 | 2 | 3 | 4;
  state_hint: string;
  servicer: Person | null;
  last_at: number | null;
  last_text: string;
  is_muted: boolean;
}

export interface Chat {
  thread: Thread;
  entries: Entry[];
  has_more: boolean;
  can_write?: boolean;
}

export interface Account {
  open_kfid: string;
  name: string;
  avatar: string;
  is_managed: boolean;
  links: { scene: string; url: string }[];
}

export interface Customer {
  external_userid: string;
  name: string;
  organisation: string;
  avatar: string;
  threads: Thread[];
}

export interface Servicer extends Person {
  position: string;
  is_active: boolean;
  accounts: { open_kfid: string; name: string; status: "accepting" | "stopped" | "suspended" }[];
}

export interface People {
  now: number;
  corp: { corp_id: string; name: string };
  app: { agent_id: number; name: string };
  accounts: Account[];
  customers: Customer[];
  servicers: Servicer[];
}

export interface Client {
  servicer: Servicer;
  pool: Thread[];
  mine: Thread[];
  ended: Thread[];
  app_entries: number;
}

export interface AppChat {
  entries: Entry[];
  has_more: boolean;
  menu: { button: AppButton[] } | null;
}

export interface AppButton {
  type?: string;
  name: string;
  key?: string;
  url?: string;
  sub_button?: AppButton[];
}

export interface Fault {
  fault_id?: string;
  kind: string;
  api?: string;
  rate?: number;
  times?: number | null;
  errcode?: number;
  status?: number;
  seconds?: number;
  fail_type?: number;
}

export interface Counters {
  api: Record<string, { calls: number; errors: Record<string, number> }>;
  callbacks: Record<string, number>;
  customer_messages: number;
  sent_messages: number;
}

export type Push =
  | { type: "snapshot"; view: Chat | Client }
  | { type: "thread"; thread: Thread; entries: Entry[] }
  | { type: "sessions"; view: Client }
  | { type: "app"; entries: Entry[]; menu: AppChat["menu"] };
