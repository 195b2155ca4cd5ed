/** The customers' pages by the first part of their address (`/h5/#/ticket/…`); each is its own chunk. */
import { defineAsyncComponent, type Component } from "vue";

import LandingPage from "./LandingPage.vue";

const PAGES: Readonly<Record<string, Component>> = {
  "": LandingPage,
  missing: defineAsyncComponent(() => import("./MissingPage.vue")),
};

export interface Place {
  page: Component;
  /** What follows the page's name, e.g. a signed token. */
  rest: string[];
}

export function placeOf(hash: string): Place {
  const [name = "", ...rest] = hash.replace(/^#?\/?/, "").split("/");
  return { page: PAGES[name] ?? (PAGES["missing"] as Component), rest };
}
