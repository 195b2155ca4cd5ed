import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import * as api from "@/api/auth";
import { dropTokens, keepTokens, readTokens } from "@/api/tokens";
import type { MeView } from "@/api/types";

import { useServicers } from "./servicers";

export type Permission =
  | "session.serve"
  | "session.supervise"
  | "article.edit"
  | "article.publish"
  | "user.manage"
  | "account.manage"
  | "setting.manage"
  | "audit.read"
  | "customer.edit"
  | "customer.reveal"
  | "customer.manage"
  | "team.manage"
  | "ticket.work"
  | "ticket.manage"
  | "sla.manage"
  | "review.write"
  | "api_key.manage"
  | "oa.sync";

export const useAuth = defineStore("auth", () => {
  const me = shallowRef<MeView | null>(null);
  const hasTokens = ref(readTokens() !== null);
  const servicers = useServicers();

  const user = computed(() => me.value?.user ?? null);
  /** Fresh from the servicers' store, because presence and load change all day. */
  const servicer = computed(() => {
    const own = me.value?.servicer;
    return own ? (servicers.rows[own.id] ?? own) : null;
  });

  const can = (permission: Permission): boolean => me.value?.permissions.includes(permission) ?? false;

  async function login(username: string, password: string): Promise<void> {
    keepTokens(await api.login(username, password));
    hasTokens.value = true;
    await restore();
  }

  async function restore(): Promise<void> {
    me.value = await api.me();
  }

  async function logout(): Promise<void> {
    await api.logout().catch(() => undefined);
    forget();
  }

  function forget(): void {
    dropTokens();
    hasTokens.value = false;
    me.value = null;
  }

  return { me, user, servicer, hasTokens, can, login, restore, logout, forget };
});
