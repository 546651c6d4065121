import { type DeadLetter, type DeadLetterSummary, summaryOf } from "@orgloop/sdk";
import type { Item } from "./state-table.ts";

/** Where a letter lies that is too long for its item: the stage's bucket. */
export interface LetterObjects {
  put(key: string, text: string): Promise<void>;
  /** Rejects where there is none. */
  get(key: string): Promise<string>;
}

/** What a listing reads of a letter: not its event, which may be long. */
export interface ListedLetter extends DeadLetterSummary {
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

/**
 * Bytes of a letter that lie in its item. DynamoDB takes 400 KB, but a listing pays for all that
 * lies in the items, and S3 costs less for what is long.
 */
export const MAX_INLINE_BYTES = 32 * 1024;

/** What a listing shows of a letter, as attributes. */
export function listedOf(letter: DeadLetter): Item {
  return { ...summaryOf(letter) };
}

export function listedLetter(item: Item): ListedLetter {
  const { replayed_ms = null, place, ...letter } = item;
  return { ...letter, replayed_ms } as ListedLetter;
}
