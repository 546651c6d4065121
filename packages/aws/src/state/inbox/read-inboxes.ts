import { randomUUID } from "node:crypto";
import type { InboxEntry, InboxSession } from "@orgloop/sdk";
import { type Item, listItems } from "../state-table.ts";
import { updateItem } from "../write-item.ts";
import { type InboxTable, readSession } from "./change-inbox.ts";
import { SESSIONS, sessionKey, sessionOf } from "./inbox-session-item.ts";
import type { DueSession } from "./shared-inboxes.ts";

/** Who asked for a notification sends it itself, unless it ends before. */
const UNSENT_MS = 60_000;

/**
 * Entries of a session that have expired, at most `limit`; where there are none, it is kept when
 * there will be.
 */
export async function expiredOf(
  table: InboxTable,
  session: string,
  nowMs: number,
  limit: number,
): Promise<readonly InboxEntry[]> {
  const before = await readSession(table, session);
  const places = await table.entries.places(session);
  const due = places.filter(({ expiresMs }) => expiresMs <= nowMs);
  if (due.length > 0) {
    return (await table.entries.at(session, due.slice(0, limit))).map(({ entry }) => entry);
  }
  if (before.version === null) return [];
  const nextExpiryMs = places.reduce(
    (least, { expiresMs }) => Math.min(least, expiresMs),
    Number.MAX_SAFE_INTEGER,
  );
  // Not where somebody has put an entry since: the next look will.
  await updateItem(table, sessionKey(session), {
    set: { next_expiry_ms: nextExpiryMs, version: randomUUID() },
    condition: "#version = :was",
    values: { was: before.version },
  });
  return [];
}

/** Entries of all sessions that have expired, at most `limit`. */
export async function expired(
  table: InboxTable,
  nowMs: number,
  limit: number,
): Promise<readonly InboxEntry[]> {
  const found: InboxEntry[] = [];
  for (const { session_key, expired } of await dueSessions(table, nowMs)) {
    if (!expired) continue;
    found.push(...(await expiredOf(table, session_key, nowMs, limit - found.length)));
    if (found.length >= limit) break;
  }
  return found;
}

/** The first entries that have not expired, and how many there are of these. */
export async function waiting(table: InboxTable, session: string, nowMs: number, limit: number) {
  const places = await table.entries.places(session);
  const fresh = places.filter(({ expiresMs }) => expiresMs > nowMs);
  const kept = await table.entries.at(session, fresh.slice(0, limit));
  return { entries: kept.map(({ entry }) => entry), pending: fresh.length };
}

/** Sessions in which something has expired, or whose notification nobody has sent. */
export async function dueSessions(
  table: InboxTable,
  nowMs: number,
): Promise<readonly DueSession[]> {
  const unsentBefore = nowMs - UNSENT_MS;
  const items = await listed(table, {
    FilterExpression: "next_expiry_ms <= :now OR unsent_ms <= :before",
    values: { ":now": nowMs, ":before": unsentBefore },
  });
  return items.map((item) => {
    const { unsentMs, noticeId, nextExpiryMs } = sessionOf(item, nowMs);
    return {
      session_key: String(item.session_key),
      expired: nextExpiryMs <= nowMs,
      noticeId: unsentMs !== null && unsentMs <= unsentBefore ? noticeId : null,
    };
  });
}

/** Sessions in which something waits, by their keys. */
export async function sessions(table: InboxTable): Promise<readonly InboxSession[]> {
  const items = await listed(table);
  return items
    .map((item) => ({ session_key: String(item.session_key), ...sessionOf(item, table.now()) }))
    .filter(({ pending }) => pending > 0)
    .sort((a, b) => (a.session_key < b.session_key ? -1 : 1))
    .map(({ session_key, pending, notice }) => ({
      session_key,
      pending,
      notified: notice === "sent",
    }));
}

async function listed(
  table: InboxTable,
  query: Parameters<typeof listItems>[2] = {},
): Promise<readonly Item[]> {
  return (await Array.fromAsync(listItems(table, SESSIONS, query))).flat();
}
