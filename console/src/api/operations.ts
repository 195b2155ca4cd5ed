import { get, post, type Query } from "./http";
import type { components } from "./schema";
import type { Page } from "./types";

export type DeadLetter = components["schemas"]["DeadLetterView"];

export const deadLetters = (query: Query) => get<Page<DeadLetter>>("/dead-letters", query);
export const retryDeadLetter = (id: string) => post<undefined>(`/dead-letters/${id}/retry`);
