/** A session's conversation as a text file. */
import { messages } from "@/api/sessions";
import type { MessageView, SessionView } from "@/api/types";
import { preview } from "@/events/apply";
import { t } from "@/locales";
import { saveBlob } from "@/shared/saveBlob";
import { fullTime, isoDay } from "@/shared/time";

const PAGE = 100;

export async function saveTranscript(session: SessionView): Promise<void> {
  const lines = (await wholeThread(session.id)).filter((line) => line.session_id === session.id);
  const head = [session.customer_name, session.institution_name, session.account_name].filter(Boolean).join(" · ");
  const text = [head, "", ...lines.map((line) => asText(line, session))].join("\n");
  saveBlob(new Blob([text], { type: "text/plain;charset=utf-8" }), fileName(session));
}

/** The customer and the day in Shanghai; what file systems refuse is left out. */
export const fileName = (session: SessionView): string =>
  `${session.customer_name.replace(/[\\/:*?"<>|]/g, "_")}-${isoDay(new Date(session.opened_at))}.txt`;

export function asText(line: MessageView, session: SessionView): string {
  const said = line.recalled_at ? t("chat.recalled_by", { name: author(line, session) }) : whole(line.content);
  return `[${fullTime(line.sent_at)}] ${author(line, session)}: ${said}`;
}

/** A menu with what it offered: what the customer chose says little without it. */
const whole = (content: MessageView["content"]): string =>
  content.type === "menu" ? [content.head, ...content.items.map((item) => `  · ${item.label}`), content.tail].filter(Boolean).join("\n") : preview(content);

function author(line: MessageView, session: SessionView): string {
  if (line.sender === "customer") return session.customer_name;
  return line.sender === "servicer" ? (line.servicer_name ?? "") : t(`chat.${line.sender}`);
}

async function wholeThread(id: string): Promise<MessageView[]> {
  let page = await messages(id, { limit: PAGE });
  let lines = page.items;
  while (page.has_more && lines[0]) {
    page = await messages(id, { limit: PAGE, before_seq: lines[0].seq });
    lines = [...page.items, ...lines];
    if (page.items.length === 0 || page.items.every((line) => line.session_id !== id)) break;
  }
  return lines;
}
