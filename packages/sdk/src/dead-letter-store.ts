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
  /** The event as the actor would have got it. */
  readonly event: OrgLoopEvent;
}

export interface DeadLetterStore {
  /** Resolves when the letter is durable: only then is its route settled. The same id twice is one letter. */
  put(letter: DeadLetter): Promise<void>;
  /** Oldest first. */
  list(): Promise<readonly DeadLetter[]>;
  remove(ids: readonly string[]): Promise<void>;
  close?(): Promise<void>;
}
