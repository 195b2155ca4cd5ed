import { createPinia, setActivePinia } from "pinia";
import { beforeEach, expect, test, vi } from "vitest";
import { effectScope, nextTick, ref, type EffectScope } from "vue";

import * as api from "@/api/tickets";
import type { Event } from "@/api/types";
import { useTicket } from "@/features/tickets/page/useTicket";
import { useLive } from "@/stores/live";

const ABOUT = ["ticket.entry_added", "sla.warned", "sla.breached", "follow_up.due", "ticket.moved", "ticket.escalated"];
let scope: EffectScope;

beforeEach(() => {
  setActivePinia(createPinia());
  vi.restoreAllMocks();
  scope?.stop();
  scope = effectScope();
});

function opened() {
  const detail = vi.spyOn(api, "ticket").mockResolvedValue({ ticket: { id: "t1" } } as api.TicketDetail);
  vi.spyOn(api, "ticketEntries").mockResolvedValue({ items: [], next_cursor: null });
  scope.run(() => useTicket(ref("t1")));
  return detail;
}
const happens = (type: string, id: string): void => useLive().take({ type, ticket: { id } } as unknown as Event);

test.each(ABOUT)("%s about the open ticket fetches it again", async (type) => {
  const fetched = opened();
  expect(fetched).toHaveBeenCalledTimes(1);
  happens(type, "t2");
  expect(fetched).toHaveBeenCalledTimes(1);
  happens(type, "t1");
  await nextTick();
  expect(fetched).toHaveBeenCalledTimes(2);
});

test("a page that was left hears nothing any more", () => {
  const fetched = opened();
  scope.stop();
  happens("sla.breached", "t1");
  expect(fetched).toHaveBeenCalledTimes(1);
});
