import type { OrgLoopEvent } from "./event.ts";

/** Why an event was given up (`docs/commands.md`). */
export const DEAD_REASONS = [
  "exhausted",
  "permanent",
  "backpressure",
  "expired",
  "poison",
  "invalid",
  "refused",
] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/** What was given up, and all that is needed to try again. */
export interface DeadLetter {
  /** `dl_` and letters or digits. */
  readonly id: string;
  readonly event_id: string;
  /** Null where the event as a whole was refused. */
  readonly route: string | null;
  readonly actor: string | null;
  readonly reason: DeadReason;
  readonly attempts: number;
  /** First and last attempt, ISO 8601, UTC. */
  readonly first_at: string;
  readonly last_at: string;
  readonly first_error: string | null;
  readonly last_error: string | null;
  /** The event as the actor would have got it; its `replay` says which replay failed. */
  readonly event: OrgLoopEvent;
  /**
   * The event is as its source gave it: the route's transforms have not run. A replay routes it
   * anew to the route.
   */
  readonly untransformed?: true;
  /** What its deliveries are ordered by; absent in letters that were never routed. */
  readonly ordering_key?: string;
}

/**
 * What a list shows of a letter (`docs/commands.md`, `dead-letters list --json`): at most about a
 * kilobyte.
 */
export type DeadLetterSummary = Omit<DeadLetter, "first_error" | "event" | "ordering_key">;

/** Of an error no more than this is listed; the letter has all of it. */
const LISTED_ERROR = 500;

export function summaryOf(letter: DeadLetterSummary): DeadLetterSummary {
  const { id, event_id, route, actor, reason, attempts, first_at, last_at } = letter;
  const last_error = letter.last_error?.slice(0, LISTED_ERROR) ?? null;
  return { id, event_id, route, actor, reason, attempts, first_at, last_at, last_error };
}

/**
 * As a store lists it. `position` rises in the order of the list: what comes later is listed after
 * it.
 */
export interface PlacedLetter extends DeadLetterSummary {
  readonly position: number;
}

export interface DeadLetterStore {
  /**
   * Resolves when the letter is durable: only then is its route settled. The same id twice is one
   * letter: the newer one, in the place of the older.
   */
  put(letter: DeadLetter): Promise<void>;
  /**
   * Without their events, in the order in which they were first put; after the letter at `after`,
   * where given.
   */
  list(after?: number): AsyncIterable<PlacedLetter>;
  get(id: string): Promise<DeadLetter | null>;
  /** Resolves when that is durable; unknown ids are ignored. */
  remove(ids: readonly string[]): Promise<void>;
  /** How many letters there are, where the store knows it without reading them. */
  readonly size?: number;
  close?(): Promise<void>;
}
