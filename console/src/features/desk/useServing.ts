/** The verbs of the chat header, with their words. */
import { ElMessageBox } from "element-plus";
import { useRouter } from "vue-router";

import * as api from "@/api/sessions";
import type { SessionView } from "@/api/types";
import { t } from "@/locales";
import { useTask } from "@/shared/composables/useTask";
import { useSessions } from "@/stores/sessions";

export function useServing() {
  const sessions = useSessions();
  const router = useRouter();

  const claim = useTask(async (session: SessionView) => {
    sessions.put(await api.claim(session.id));
    await router.push({ name: "desk", params: { id: session.id } });
  });
  const takeover = useTask(async (session: SessionView) => sessions.put(await api.takeover(session.id)));
  const transfer = useTask(
    async (session: SessionView, to: api.TransferTarget, note: string) =>
      sessions.put(await api.transfer(session.id, to, note)),
    () => t("chat.transferred"),
  );
  const close = useTask(
    async (session: SessionView) => sessions.put(await api.close(session.id, "resolved")),
    () => t("chat.was_closed"),
  );

  async function askToClose(session: SessionView): Promise<void> {
    const question = t("chat.close_title", { name: session.customer_name });
    const isSure = await ElMessageBox.confirm(t("chat.close_hint"), question, {
      confirmButtonText: t("chat.close"),
      cancelButtonText: t("action.cancel"),
    }).catch(() => null);
    if (isSure) await close.run(session);
  }

  return { claim, takeover, transfer, askToClose };
}
