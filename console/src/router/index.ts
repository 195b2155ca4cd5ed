import { createRouter, createWebHashHistory, type Router, type RouteRecordRaw } from "vue-router";

import { whenSignedOut } from "@/api/http";
import { onSignedOutElsewhere } from "@/api/tokens";
import { useAuth, type Permission } from "@/stores/auth";
import { useLive } from "@/stores/live";

declare module "vue-router" {
  interface RouteMeta {
    isOpen?: boolean;
    needs?: Permission;
  }
}

const pages: RouteRecordRaw[] = [
  { path: "", redirect: { name: "desk" } },
  { path: "desk/:id?", name: "desk", component: () => import("@/features/desk/DeskPage.vue") },
  { path: "sessions/:tab?", name: "sessions", component: () => import("@/features/sessions/SessionsPage.vue") },
  { path: "customers/:tab?", name: "customers", component: () => import("@/features/customers/CustomersPage.vue") },
  { path: "tickets", name: "tickets", component: () => import("@/features/tickets/TicketsPage.vue") },
  { path: "tickets/:id", name: "ticket", component: () => import("@/features/tickets/TicketPage.vue") },
  {
    path: "queue",
    name: "queue",
    meta: { needs: "session.supervise" },
    component: () => import("@/features/queue/QueuePage.vue"),
  },
  { path: "teams/:tab?", name: "teams", component: () => import("@/features/teams/ServicePage.vue") },
  { path: "reviews", name: "reviews", component: () => import("@/features/reviews/ReviewsPage.vue") },
  { path: "knowledge/:tab?", name: "knowledge", component: () => import("@/features/knowledge/KnowledgePage.vue") },
  { path: "replies", name: "replies", component: () => import("@/features/replies/RepliesPage.vue") },
  { path: "people", name: "people", component: () => import("@/features/people/PeoplePage.vue") },
  {
    path: "settings",
    name: "settings",
    meta: { needs: "setting.manage" },
    component: () => import("@/features/settings/SettingsPage.vue"),
  },
  {
    path: "integration/:tab?",
    name: "integration",
    meta: { needs: "api_key.manage" },
    component: () => import("@/features/integration/IntegrationPage.vue"),
  },
  {
    path: "dead-letters",
    name: "dead_letters",
    meta: { needs: "session.supervise" },
    component: () => import("@/features/operations/DeadLettersPage.vue"),
  },
  {
    path: "audit",
    name: "audit",
    meta: { needs: "audit.read" },
    component: () => import("@/features/audit/AuditPage.vue"),
  },
  { path: ":rest(.*)", name: "missing", component: () => import("@/features/shell/MissingPage.vue") },
];

const routes: RouteRecordRaw[] = [
  {
    path: "/login",
    name: "login",
    meta: { isOpen: true },
    component: () => import("@/features/login/LoginPage.vue"),
  },
  { path: "/", component: () => import("@/features/shell/ShellLayout.vue"), children: pages },
];

/** Hash addresses: the server owes the console one page and no rewriting rules. */
export function makeRouter(): Router {
  const router = createRouter({ history: createWebHashHistory(), routes });
  router.beforeEach(async (to) => {
    const auth = useAuth();
    if (to.meta.isOpen) return true;
    const login = { name: "login", query: { to: to.fullPath } };
    if (!auth.hasTokens) return login;
    if (!auth.me) {
      const isRestored = await auth.restore().then(
        () => true,
        () => auth.hasTokens,
      );
      if (!isRestored) return login;
    }
    return !to.meta.needs || auth.can(to.meta.needs) ? true : { name: "desk" };
  });
  const leave = (): void => {
    useLive().stop();
    useAuth().forget();
    const here = router.currentRoute.value;
    if (here.name !== "login") void router.push({ name: "login", query: { to: here.fullPath, expired: "1" } });
  };
  whenSignedOut(leave);
  onSignedOutElsewhere(leave);
  return router;
}
