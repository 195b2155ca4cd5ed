import type { TicketCategoryView } from "@/api/cases";
import type { MessageView, SessionView } from "@/api/types";
import { preview } from "@/events/apply";

const LINES = 8;
const TITLE = 60;

/** What a ticket from this session would say: its topic, what the customer said, the category that is named in it. */
export function proposal(session: SessionView, thread: readonly MessageView[], categories: readonly TicketCategoryView[]) {
  const said = thread
    .filter((line) => line.session_id === session.id && line.sender === "customer" && !line.recalled_at)
    .map((line) => preview(line.content))
    .filter((text) => text.trim().length > 1);
  const description = said.slice(-LINES).join("\n");
  const longest = [...said].sort((a, b) => b.length - a.length)[0] ?? "";
  const title = (session.topic || longest || session.last_message_text || "").slice(0, TITLE);
  const words = `${title}\n${description}`;
  const named = categories.filter((one) => words.includes(one.name)).sort((a, b) => b.path.length - a.path.length);
  return { title, description, category_id: named[0]?.id ?? null };
}
