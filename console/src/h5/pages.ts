/** The customers' pages by the first part of their address (`/h5/#/ticket/…`); each is its own chunk. */
import { defineAsyncComponent, type Component } from "vue";

import LandingPage from "./LandingPage.vue";

const PAGES: Readonly<Record<string, Component>> = {
  "": LandingPage,
  ticket: defineAsyncComponent(() => import("./TicketPage.vue")),
  new: defineAsyncComponent(() => import("./NewTicketPage.vue")),
  register: defineAsyncComponent(() => import("./RegistrationPage.vue")),
  missing: defineAsyncComponent(() => import("./MissingPage.vue")),
};

export interface Place {
  page: Component;
  /** What follows the page's name, e.g. a signed token. */
  rest: string[];
}

/** `/h5/#/ticket/…` and `/h5/ticket/…` mean the same. */
export function placeOf(hash: string, path = "/h5/"): Place {
  const said = hash.replace(/^#?\/?/, "") || path.replace(/^\/h5\/?(index\.html)?/, "");
  const [name = "", ...rest] = said.split("/");
  return { page: PAGES[name] ?? (PAGES["missing"] as Component), rest };
}
