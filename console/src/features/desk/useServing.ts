/** The verbs of the chat header, with their words. */
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
    async (session: SessionView, conclusion: api.Conclusion) => sessions.put(await api.close(session.id, conclusion)),
    () => t("chat.was_closed"),
  );
  const conclude = useTask(
    async (session: SessionView, conclusion: api.Conclusion) => sessions.put(await api.conclude(session.id, conclusion)),
    () => t("page.saved"),
  );
  const tag = useTask(async (session: SessionView, tags: readonly string[]) => {
    const known = session.tags ?? [];
    const add = tags.filter((one) => !known.includes(one));
    const remove = known.filter((one) => !tags.includes(one));
    sessions.put(await api.tagSession(session.id, add, remove));
  });

  return { claim, takeover, transfer, close, conclude, tag };
}
