import type { OrgLoopEvent } from "./event.ts";

/** Why an event was given up (`spec/cli.md`). */
export const DEAD_REASONS = [
  "exhausted",
  "permanent",
  "backpressure",
  "expired",
  "poison",
  "invalid",
] as const;
export type DeadReason = (typeof DEAD_REASONS)[number];

/** What was given up, and all that is needed to try again. */
export interface DeadLetter {
  /** `dl_` and letters or digits. */
  readonly id: string;
  readonly event_id: string;
  /** Null for `invalid`: it never was an event. */
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
  /** What its deliveries are ordered by; absent in letters that were never routed. */
  readonly ordering_key?: string;
}

export interface DeadLetterStore {
  /**
   * Resolves when the letter is durable: only then is its route settled. The same id twice is one letter: the newer one, in the place
   * of the older.
   */
  put(letter: DeadLetter): Promise<void>;
  /** In the order in which they were first put. */
  list(): Promise<readonly DeadLetter[]>;
  get(id: string): Promise<DeadLetter | null>;
  /** Resolves when that is durable; unknown ids are ignored. */
  remove(ids: readonly string[]): Promise<void>;
  /** How many letters there are, where the store knows it without reading them. */
  readonly size?: number;
  close?(): Promise<void>;
}
