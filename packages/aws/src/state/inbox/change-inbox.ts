import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { OrgLoopError } from "@orgloop/sdk";
import { getItem, type StateTable } from "../state-table.ts";
import { type TransactedWrite, transact } from "../transaction.ts";
import { type InboxEntryItems, type KeptEntry, ttlOf } from "./inbox-entry-items.ts";
import { type SessionItem, sessionKey, sessionOf, sessionWrite } from "./inbox-session-item.ts";
import type { DecideInbox, InboxChanged } from "./shared-inboxes.ts";

/** The state table as inboxes are kept in it. */
export interface InboxTable extends StateTable {
  readonly entries: InboxEntryItems;
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Entries of one transaction: two items each, and the session (AWS: 100). */
const MAX_TAKEN = 49;
const MAX_TRIES = 40;
const FIRST_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000;

export const KEEP: DecideInbox = (state) => ({ state, notify: false });

export async function readSession(table: InboxTable, session: string): Promise<SessionItem> {
  return sessionOf(await getItem(table, sessionKey(session)), table.now());
}

/** Puts an entry into its session's inbox, where it is not there; throws `INBOX_CONTENDED`. */
export async function addEntry(
  table: InboxTable,
  kept: KeptEntry,
  decide: DecideInbox,
): Promise<InboxChanged> {
  const { session_key: session, expires_at } = kept.entry;
  const expiresMs = Date.parse(expires_at);
  const draft = await table.entries.draft(kept);
  return untilWritten(table, session, async (before) => {
    const place = before.place + 1;
    const after = {
      ...decided(before, before.pending + 1, decide(before, 1), table.now()),
      place,
      nextExpiryMs: Math.min(before.nextExpiryMs, expiresMs),
      ttl: Math.max(before.ttl, ttlOf(expiresMs)),
    };
    const written = await transact(table, [
      ...draft(place),
      ...sessionWrite(session, before, after),
    ]);
    if (written.done) return changed(after, 1);
    return written.held[0] === false ? changed(before, 0) : undefined;
  });
}

/**
 * Takes those of the entries that are there, one transaction after the other; `decide` is asked
 * with the last.
 */
export async function takeEntries(
  table: InboxTable,
  session: string,
  ids: readonly string[],
  decide: DecideInbox,
): Promise<InboxChanged> {
  const { entries } = table;
  let taken = 0;
  for (let left = [...new Set(ids)]; ; ) {
    const places = await entries.placesOf(session, left);
    const batch = places.slice(0, MAX_TAKEN);
    const isLast = batch.length === places.length;
    const writes = batch.flatMap((place) => entries.removal(session, place));
    const result = await untilWritten(table, session, async (before) => {
      if (taken + batch.length === 0) return changed(before, 0);
      const pending = Math.max(0, before.pending - batch.length);
      const whole = { pending: before.pending + taken, notice: before.notice };
      const step = isLast ? decide(whole, taken + batch.length) : KEEP(before, 0);
      const after = decided(before, pending, step, table.now());
      return write(table, session, { before, after, writes, count: taken + batch.length });
    });
    if (result === "moved") continue;
    taken += batch.length;
    if (isLast) return result;
    left = places.slice(MAX_TAKEN).map(({ id }) => id);
  }
}

/** Changes what the session's actor knows of its inbox. */
export async function changeSession(
  table: InboxTable,
  session: string,
  decide: DecideInbox,
): Promise<InboxChanged> {
  return untilWritten(table, session, async (before) => {
    if (before.version === null) return changed(before, 0);
    const step = decide(before, 0);
    if (!step.notify && step.state.notice === before.notice) return changed(before, 0);
    const after = decided(before, before.pending, step, table.now());
    const result = await write(table, session, { before, after, writes: [], count: 0 });
    return result === "moved" ? undefined : result;
  });
}

/** Until `attempt` gives something: undefined where others were faster. */
async function untilWritten<Result>(
  table: InboxTable,
  session: string,
  attempt: (before: SessionItem) => Promise<Result | undefined>,
): Promise<Result> {
  for (let tries = 1; tries <= MAX_TRIES; tries++) {
    const result = await attempt(await readSession(table, session));
    if (result !== undefined) return result;
    const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1));
    await sleep(longest * table.random());
  }
  const message = `the inbox of ${session} was changed by others ${MAX_TRIES} times in a row: try again later`;
  throw new OrgLoopError("INBOX_CONTENDED", message);
}

/** How the session stands after a decision. */
function decided(
  before: SessionItem,
  pending: number,
  { state: { notice }, notify }: ReturnType<DecideInbox>,
  nowMs: number,
): SessionItem {
  const version = randomUUID();
  const after = { ...before, version, pending, notice };
  if (notify) return { ...after, noticeId: version, noticeMs: nowMs, unsentMs: nowMs };
  if (notice === "sending" || notice === "stale") return after;
  return { ...after, noticeId: null, noticeMs: null, unsentMs: null };
}

const changed = (after: SessionItem, count: number): InboxChanged => ({
  count,
  state: { pending: after.pending, notice: after.notice },
  noticeId: after.unsentMs === null ? null : after.noticeId,
});

interface SessionChange {
  readonly before: SessionItem;
  readonly after: SessionItem;
  /** What is written with it. */
  readonly writes: readonly TransactedWrite[];
  readonly count: number;
}

/** `moved`: an entry is no longer there. */
async function write(
  table: InboxTable,
  session: string,
  { before, after, writes, count }: SessionChange,
): Promise<InboxChanged | "moved" | undefined> {
  const all = [...writes, ...sessionWrite(session, before, after)];
  if (all.length === 0) return changed(before, 0);
  const written = await transact(table, all);
  if (written.done) return changed(after, count);
  return written.held.slice(0, writes.length).includes(false) ? "moved" : undefined;
}
