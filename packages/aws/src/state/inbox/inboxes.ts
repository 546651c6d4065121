import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type InboxEntry, OrgLoopError } from "@orgloop/sdk";
import { inTurn } from "../in-turn.ts";
import type { LetterObjects } from "../letter-item.ts";
import { getItem, type Item, listItems, type StateTable } from "../state-table.ts";
import { type TransactedWrite, transact } from "../transaction.ts";
import { updateItem } from "../write-item.ts";
import { inboxEntryItems, type KeptEntry, ttlOf } from "./inbox-entry-items.ts";
import {
  SESSIONS,
  type SessionItem,
  sessionKey,
  sessionOf,
  sessionWrite,
} from "./inbox-session-item.ts";
import type { DecideInbox, DueSession, InboxChanged, SharedInboxes } from "./shared-inboxes.ts";

export interface DynamoInboxesOptions extends StateTable {
  /** Takes what is too long for an item. */
  readonly objects: LetterObjects;
  readonly now?: () => number;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Entries of one transaction: two items each, and the session (AWS: 100). */
const MAX_TAKEN = 49;
const MAX_TRIES = 40;
const FIRST_DELAY_MS = 5;
const MAX_DELAY_MS = 1_000;
/** Who asked for a notification sends it itself, unless it ends before. */
const UNSENT_MS = 60_000;

const KEEP: DecideInbox = (state) => ({ state, notify: false });

/** Whether anything waits in the inboxes of a state table, or is being told of. */
export async function hasInboxes(state: StateTable): Promise<boolean> {
  for await (const { length } of listItems(state, SESSIONS)) if (length > 0) return true;
  return false;
}

/** Inboxes in the state table: one item a session, two an entry. */
export function dynamoInboxes(options: DynamoInboxesOptions): SharedInboxes {
  const { objects, now = Date.now, random = Math.random } = options;
  const turns = inTurn();
  const entries = inboxEntryItems(options, objects);

  const read = async (session: string): Promise<SessionItem> =>
    sessionOf(await getItem(options, sessionKey(session)), now());

  /** Until `attempt` gives something: undefined where others were faster. */
  async function retried<Result>(
    session: string,
    attempt: (before: SessionItem) => Promise<Result | undefined>,
  ): Promise<Result> {
    for (let tries = 1; tries <= MAX_TRIES; tries++) {
      const result = await attempt(await read(session));
      if (result !== undefined) return result;
      await sleep(Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 1)) * random());
    }
    const message = `the inbox of ${session} was changed by others ${MAX_TRIES} times in a row: try again later`;
    throw new OrgLoopError("INBOX_CONTENDED", message);
  }

  /** How the session stands after a decision. */
  function decided(
    before: SessionItem,
    pending: number,
    { state: { notice }, notify }: ReturnType<DecideInbox>,
  ): SessionItem {
    const version = randomUUID();
    const after = { ...before, version, pending, notice };
    if (notify) return { ...after, noticeId: version, noticeMs: now(), unsentMs: now() };
    if (notice === "sending" || notice === "stale") return after;
    return { ...after, noticeId: null, noticeMs: null, unsentMs: null };
  }

  const changed = (after: SessionItem, count: number): InboxChanged => ({
    count,
    state: { pending: after.pending, notice: after.notice },
    noticeId: after.unsentMs === null ? null : after.noticeId,
  });

  async function add(kept: KeptEntry, decide: DecideInbox): Promise<InboxChanged> {
    const { session_key: session, expires_at } = kept.entry;
    const expiresMs = Date.parse(expires_at);
    const draft = await entries.draft(kept);
    return retried(session, async (before) => {
      const place = before.place + 1;
      const after = {
        ...decided(before, before.pending + 1, decide(before, 1)),
        place,
        nextExpiryMs: Math.min(before.nextExpiryMs, expiresMs),
        ttl: Math.max(before.ttl, ttlOf(expiresMs)),
      };
      const written = await transact(options, [
        ...draft(place),
        ...sessionWrite(session, before, after),
      ]);
      if (written.done) return changed(after, 1);
      return written.held[0] === false ? changed(before, 0) : undefined;
    });
  }

  async function take(
    session: string,
    ids: readonly string[],
    decide: DecideInbox,
  ): Promise<InboxChanged> {
    let taken = 0;
    for (let left = [...new Set(ids)]; ; ) {
      const places = await entries.placesOf(session, left);
      const batch = places.slice(0, MAX_TAKEN);
      const isLast = batch.length === places.length;
      const writes = batch.flatMap((place) => entries.removal(session, place));
      const result = await retried(session, async (before) => {
        if (taken + batch.length === 0) return changed(before, 0);
        const pending = Math.max(0, before.pending - batch.length);
        const whole = { pending: before.pending + taken, notice: before.notice };
        const step = isLast ? decide(whole, taken + batch.length) : KEEP(before, 0);
        const after = decided(before, pending, step);
        return write(session, before, after, writes, taken + batch.length);
      });
      if (result === "moved") continue;
      taken += batch.length;
      if (isLast) return result;
      left = places.slice(MAX_TAKEN).map(({ id }) => id);
    }
  }

  /** `moved`: an entry is no longer there. */
  async function write(
    session: string,
    before: SessionItem,
    after: SessionItem,
    writes: readonly TransactedWrite[],
    count: number,
  ): Promise<InboxChanged | "moved" | undefined> {
    const all = [...writes, ...sessionWrite(session, before, after)];
    if (all.length === 0) return changed(before, 0);
    const written = await transact(options, all);
    if (written.done) return changed(after, count);
    return written.held.slice(0, writes.length).includes(false) ? "moved" : undefined;
  }

  async function change(session: string, decide: DecideInbox): Promise<InboxChanged> {
    return retried(session, async (before) => {
      if (before.version === null) return changed(before, 0);
      const step = decide(before, 0);
      if (!step.notify && step.state.notice === before.notice) return changed(before, 0);
      const after = decided(before, before.pending, step);
      const result = await write(session, before, after, [], 0);
      return result === "moved" ? undefined : result;
    });
  }

  async function expiredOf(session: string, nowMs: number, limit: number) {
    const before = await read(session);
    const places = await entries.places(session);
    const due = places.filter(({ expiresMs }) => expiresMs <= nowMs);
    if (due.length > 0) {
      return (await entries.at(session, due.slice(0, limit))).map(({ entry }) => entry);
    }
    if (before.version === null) return [];
    const nextExpiryMs = places.reduce(
      (least, { expiresMs }) => Math.min(least, expiresMs),
      Number.MAX_SAFE_INTEGER,
    );
    // Not where somebody has put an entry since: the next look will.
    await updateItem(options, sessionKey(session), {
      set: { next_expiry_ms: nextExpiryMs, version: randomUUID() },
      condition: "#version = :was",
      values: { was: before.version },
    });
    return [];
  }

  async function waiting(session: string, nowMs: number, limit: number) {
    const places = (await entries.places(session)).filter(({ expiresMs }) => expiresMs > nowMs);
    const kept = await entries.at(session, places.slice(0, limit));
    return { entries: kept.map(({ entry }) => entry), pending: places.length };
  }

  async function listed(query: Parameters<typeof listItems>[2] = {}): Promise<readonly Item[]> {
    return (await Array.fromAsync(listItems(options, SESSIONS, query))).flat();
  }

  async function due(nowMs: number): Promise<readonly DueSession[]> {
    const unsentBefore = nowMs - UNSENT_MS;
    const items = await listed({
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

  return {
    add: (kept, decide) => turns(kept.entry.session_key, () => add(kept, decide)),
    take: (session, ids, decide) => turns(session, () => take(session, ids, decide)),
    change: (session, decide) => turns(session, () => change(session, decide)),
    due,
    waiting,
    expiredOf,
    state: read,
    async oldest(session) {
      return (await entries.first(session, 1))[0] ?? null;
    },
    async noticeSent(session, noticeId) {
      await updateItem(options, sessionKey(session), {
        set: { unsent_ms: null },
        condition: "#notice_id = :mine",
        names: ["notice_id"],
        values: { mine: noticeId },
      });
    },
    async lease(session, ms) {
      const lease = randomUUID();
      const { done } = await updateItem(options, sessionKey(session), {
        set: { lease, lease_until_ms: now() + ms },
        condition:
          "attribute_exists(#version) AND (attribute_not_exists(#lease_until_ms) OR #lease_until_ms <= :now)",
        names: ["version"],
        values: { now: now() },
      });
      return done ? lease : null;
    },
    async release(session, lease) {
      await updateItem(options, sessionKey(session), {
        remove: ["lease", "lease_until_ms"],
        condition: "#lease = :mine",
        values: { mine: lease },
      });
    },
    async put(entry) {
      const put = () => add({ entry, origin: null }, KEEP);
      return (await turns(entry.session_key, put)).count === 1;
    },
    async list(session, limit) {
      const kept = await turns(session, () => entries.first(session, limit));
      return kept.map(({ entry }) => entry);
    },
    async remove(session, ids) {
      await turns(session, () => take(session, ids, KEEP));
    },
    async setNotified(session, notified) {
      const notice = notified ? "sent" : "none";
      const decide: DecideInbox = (state) => ({ state: { ...state, notice }, notify: false });
      await turns(session, () => change(session, decide));
    },
    async sessions() {
      const items = await listed();
      return items
        .map((item) => ({ session_key: String(item.session_key), ...sessionOf(item, now()) }))
        .filter(({ pending }) => pending > 0)
        .sort((a, b) => (a.session_key < b.session_key ? -1 : 1))
        .map(({ session_key, pending, notice }) => ({
          session_key,
          pending,
          notified: notice === "sent",
        }));
    },
    async expired(nowMs, limit) {
      const found: InboxEntry[] = [];
      for (const { session_key, expired } of await due(nowMs)) {
        if (!expired) continue;
        found.push(...(await expiredOf(session_key, nowMs, limit - found.length)));
        if (found.length >= limit) break;
      }
      return found;
    },
  };
}
