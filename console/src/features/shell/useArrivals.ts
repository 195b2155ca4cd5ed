/** What tells a servicer, who looks elsewhere, that somebody waits: notice, sound, title. */
import { onScopeDispose, watchEffect } from "vue";
import { useRouter } from "vue-router";

import type { Event, MessageView, SessionView } from "@/api/types";
import { preview } from "@/events/apply";
import { t } from "@/locales";
import { useAuth } from "@/stores/auth";
import { useLive } from "@/stores/live";
import { useSessions } from "@/stores/sessions";

const PREVIEW_LENGTH = 60;

export function useArrivals(): void {
  const auth = useAuth();
  const sessions = useSessions();
  const router = useRouter();

  const isLookingAt = (id: string): boolean =>
    document.hasFocus() && router.currentRoute.value.name === "desk" && router.currentRoute.value.params["id"] === id;

  function notify(title: string, body: string, id: string): void {
    if (!("Notification" in window) || Notification.permission !== "granted" || document.hasFocus()) return;
    const notice = new Notification(title, { body, tag: id, icon: "/favicon.svg" });
    notice.onclick = () => {
      window.focus();
      void router.push({ name: "desk", params: { id } });
      notice.close();
    };
  }

  function onAssigned(session: SessionView): void {
    if (session.servicer_id !== auth.servicer?.id || isLookingAt(session.id)) return;
    sessions.countUnread(session.id);
    notify(t("desk.notice_assigned", { name: session.customer_name }), session.last_customer_text ?? "", session.id);
  }

  function onMessage(message: MessageView): void {
    const session = message.session_id ? sessions.rows[message.session_id] : undefined;
    if (message.sender !== "customer" || !session || session.servicer_id !== auth.servicer?.id) return;
    if (isLookingAt(session.id)) return;
    sessions.countUnread(session.id);
    notify(session.customer_name, preview(message.content).slice(0, PREVIEW_LENGTH), session.id);
  }

  const stop = useLive().listen((event: Event) => {
    if (event.type === "session.assigned") onAssigned(event.session);
    else if (event.type === "message.added") onMessage(event.message);
  });
  onScopeDispose(stop);

  watchEffect(() => {
    const count = sessions.unreadTotal;
    document.title = count ? `(${count}) ${t("app.full")}` : t("app.full");
  });
}
