import type { DeadLetter, DeadReason } from "@orgloop/sdk";
import type { Item } from "./state-table.ts";

/** Where a letter lies that is too long for its item: the stage's bucket. */
export interface LetterObjects {
  put(key: string, text: string): Promise<void>;
  /** Rejects where there is none. */
  get(key: string): Promise<string>;
}

/** What a listing reads of a letter: not its event, which may be long. */
export interface ListedLetter {
  readonly id: string;
  readonly event_id: string;
  readonly route: string | null;
  readonly actor: string | null;
  readonly reason: DeadReason;
  readonly attempts: number;
  readonly first_at: string;
  readonly last_at: string;
  /** At most `MAX_ERROR` characters of it; the letter has it whole. */
  readonly last_error: string | null;
  /** Since when its replay is on its way, in ms since the epoch; null: it is not. */
  readonly replayed_ms: number | null;
}

/** Attributes of a listing, by the names that stand in for reserved words. */
export const LISTED = [
  "id",
  "event_id",
  "route",
  "actor",
  "reason",
  "attempts",
  "first_at",
  "last_at",
  "last_error",
  "replayed_ms",
  "place",
] as const;

const MAX_ERROR = 500;

/**
 * Bytes of a letter that lie in its item. DynamoDB takes 400 KB, but a listing pays for all that lies in the items, and S3 costs less for
 * what is long.
 */
export const MAX_INLINE_BYTES = 32 * 1024;

/** What a listing shows of a letter, as attributes. */
export function listedOf(letter: DeadLetter): Item {
  const { id, event_id, route, actor, reason, attempts, first_at, last_at, last_error } = letter;
  const shown = last_error?.slice(0, MAX_ERROR) ?? null;
  return { id, event_id, route, actor, reason, attempts, first_at, last_at, last_error: shown };
}

export function listedLetter(item: Item): ListedLetter {
  const { replayed_ms = null, place, ...letter } = item;
  return { ...letter, replayed_ms } as ListedLetter;
}
