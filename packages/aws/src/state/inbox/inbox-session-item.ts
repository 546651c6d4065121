import type { InboxState } from "@orgloop/sdk";
import { type Item, type ItemKey, listedKey, toAttributes } from "../state-table.ts";
import type { TransactedWrite } from "../transaction.ts";
import { updateInput } from "../write-item.ts";

/** A session as its item has it. Times in ms since the epoch. */
export interface SessionItem extends InboxState {
  /** Changes with every write; null: there is no item. */
  readonly version: string | null;
  /** The notification that is under way; null: none is. */
  readonly noticeId: string | null;
  /** Since when it is. */
  readonly noticeMs: number | null;
  /** Since when it is to be sent; null: it is in its actor's queue. */
  readonly unsentMs: number | null;
  /** The place of the entry that was put last. */
  readonly place: number;
  /** No entry expires sooner. */
  readonly nextExpiryMs: number;
  /** Seconds since the epoch. */
  readonly ttl: number;
}

/**
 * Longer than a message is in a queue (14 days): a notification that is still under way then is
 * lost.
 */
const NOTICE_MS = 15 * 86_400_000;

/** Sessions are listed. */
export const SESSIONS = "inbox";

export const sessionKey = (session: string): ItemKey => listedKey(SESSIONS, session);

export function sessionOf(item: Item | null, nowMs: number): SessionItem {
  const numberOr = <Other>(value: unknown, other: Other) =>
    typeof value === "number" ? value : other;
  const textOr = (value: unknown) => (typeof value === "string" ? value : null);
  const noticeMs = numberOr(item?.notice_ms, null);
  const isLost = noticeMs !== null && nowMs - noticeMs > NOTICE_MS;
  return {
    pending: numberOr(item?.pending, 0),
    notice: isLost ? "none" : ((item?.notice as InboxState["notice"] | undefined) ?? "none"),
    version: textOr(item?.version),
    noticeId: isLost ? null : textOr(item?.notice_id),
    noticeMs: isLost ? null : noticeMs,
    unsentMs: isLost ? null : numberOr(item?.unsent_ms, null),
    place: numberOr(item?.place, 0),
    nextExpiryMs: numberOr(item?.next_expiry_ms, Number.MAX_SAFE_INTEGER),
    ttl: numberOr(item?.ttl, 0),
  };
}

/** An inbox that is empty is forgotten, unless its actor is being told. */
const isForgotten = ({ pending, notice }: InboxState): boolean =>
  pending === 0 && (notice === "none" || notice === "sent");

/**
 * Writes a session where nobody else did since it was read; none where there is nothing and nothing
 * is to be.
 */
export function sessionWrite(
  session: string,
  before: SessionItem,
  after: SessionItem,
): readonly TransactedWrite[] {
  const Key = toAttributes({ ...sessionKey(session) });
  const known = before.version !== null;
  if (isForgotten(after)) {
    if (!known) return [];
    const condition = {
      ConditionExpression: "#version = :was",
      ExpressionAttributeNames: { "#version": "version" },
      ExpressionAttributeValues: toAttributes({ ":was": before.version }),
    };
    return [{ Delete: { Key, ...condition } }];
  }
  const change = {
    set: {
      session_key: session,
      pending: after.pending,
      notice: after.notice,
      version: after.version,
      notice_id: after.noticeId,
      notice_ms: after.noticeMs,
      unsent_ms: after.unsentMs,
      place: after.place,
      next_expiry_ms: after.nextExpiryMs,
      ttl: after.ttl,
    },
    condition: known ? "#version = :was" : "attribute_not_exists(#version)",
    values: known ? { was: before.version } : {},
  };
  return [{ Update: { Key, ...updateInput(change) } }];
}
