import { ChatLineRound, Collection, Connection, DataLine, List, Lightning, Memo, Monitor, Setting, Stamp, Tickets, Timer, User, WarningFilled } from "@element-plus/icons-vue";
import { computed, type Component } from "vue";

import type { Key } from "@/locales";
import { useAuth, type Permission } from "@/stores/auth";

export interface Place {
  name: string;
  label: Key;
  icon: Component;
  needs?: Permission;
}

const PLACES: Place[] = [
  { name: "desk", label: "nav.desk", icon: ChatLineRound },
  { name: "sessions", label: "nav.sessions", icon: Tickets },
  { name: "tickets", label: "nav.tickets", icon: Memo, needs: "ticket.work" },
  { name: "queue", label: "nav.queue", icon: Monitor, needs: "session.supervise" },
  { name: "customers", label: "nav.customers", icon: User },
  { name: "knowledge", label: "nav.knowledge", icon: Collection },
  { name: "replies", label: "nav.replies", icon: Lightning },
  { name: "teams", label: "nav.teams", icon: Timer },
  { name: "reviews", label: "nav.reviews", icon: Stamp },
  { name: "people", label: "nav.people", icon: List },
  { name: "settings", label: "nav.settings", icon: Setting, needs: "setting.manage" },
  { name: "integration", label: "nav.integration", icon: Connection, needs: "api_key.manage" },
  { name: "dead_letters", label: "nav.dead_letters", icon: WarningFilled, needs: "session.supervise" },
  { name: "audit", label: "nav.audit", icon: DataLine, needs: "audit.read" },
];

/** The places that this person may enter. */
export function usePlaces() {
  const auth = useAuth();
  return computed(() => PLACES.filter((place) => !place.needs || auth.can(place.needs)));
}
