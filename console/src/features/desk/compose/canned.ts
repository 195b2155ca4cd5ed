/** Choosing and filling canned replies: pure. */
import type { ReplyView, SessionView } from "@/api/types";
import { clockTime, dayOf } from "@/shared/time";

/** Best first: shortcut begins with it, then title or text contain it. */
export function matching(replies: readonly ReplyView[], query: string): ReplyView[] {
  const words = query.trim().toLowerCase();
  const rank = (row: ReplyView): number => {
    if (!words || row.shortcut.toLowerCase().startsWith(words)) return 0;
    if (row.title.toLowerCase().includes(words)) return 1;
    return row.text.toLowerCase().includes(words) ? 2 : -1;
  };
  return replies
    .map((row) => ({ row, at: rank(row) }))
    .filter(({ at }) => at >= 0)
    .sort((a, b) => a.at - b.at || a.row.shortcut.localeCompare(b.row.shortcut))
    .map(({ row }) => row);
}

/** {客户姓名} {机构} {客服姓名} {帐号} {日期} {时间} become what they are in this session; unknown braces stay. */
export function filled(text: string, session: SessionView, now = new Date().toISOString()): string {
  const facts: Record<string, string> = {
    客户姓名: session.customer_name,
    机构: session.institution_name ?? "",
    客服姓名: session.servicer_name ?? "",
    帐号: session.account_name,
    账号: session.account_name,
    日期: dayOf(now),
    时间: clockTime(now),
  };
  return text.replace(/\{([^{}]+)\}/g, (whole, name: string) => facts[name] ?? whole);
}
