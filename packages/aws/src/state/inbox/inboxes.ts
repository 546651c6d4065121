import { inTurn } from "../in-turn.ts";
import type { LetterObjects } from "../letter-item.ts";
import { listItems, type StateTable } from "../state-table.ts";
import {
  addEntry,
  changeSession,
  type InboxTable,
  KEEP,
  readSession,
  takeEntries,
} from "./change-inbox.ts";
import { inboxEntryItems } from "./inbox-entry-items.ts";
import { SESSIONS } from "./inbox-session-item.ts";
import { dueSessions, expired, expiredOf, sessions, waiting } from "./read-inboxes.ts";
import { noticeSent, releaseLease, takeLease } from "./session-lease.ts";
import type { DecideInbox, SharedInboxes } from "./shared-inboxes.ts";

export interface DynamoInboxesOptions extends StateTable {
  /** Takes what is too long for an item. */
  readonly objects: LetterObjects;
  readonly now?: () => number;
  /** From 0 to below 1. */
  readonly random?: () => number;
}

/** Whether anything waits in the inboxes of a state table, or is being told of. */
export async function hasInboxes(state: StateTable): Promise<boolean> {
  for await (const { length } of listItems(state, SESSIONS)) if (length > 0) return true;
  return false;
}

/** Inboxes in the state table: one item a session, two an entry. */
export function dynamoInboxes(options: DynamoInboxesOptions): SharedInboxes {
  const { client, table: name, objects, now = Date.now, random = Math.random } = options;
  const entries = inboxEntryItems(options, objects);
  const table: InboxTable = { client, table: name, entries, now, random };
  const turns = inTurn();
  return {
    add: (kept, decide) => turns(kept.entry.session_key, () => addEntry(table, kept, decide)),
    take: (session, ids, decide) => turns(session, () => takeEntries(table, session, ids, decide)),
    change: (session, decide) => turns(session, () => changeSession(table, session, decide)),
    due: (nowMs) => dueSessions(table, nowMs),
    waiting: (session, nowMs, limit) => waiting(table, session, nowMs, limit),
    expiredOf: (session, nowMs, limit) => expiredOf(table, session, nowMs, limit),
    state: (session) => readSession(table, session),
    oldest: async (session) => (await entries.first(session, 1))[0] ?? null,
    noticeSent: (session, noticeId) => noticeSent(table, session, noticeId),
    lease: (session, ms) => takeLease(table, session, ms),
    release: (session, lease) => releaseLease(table, session, lease),
    async put(entry) {
      const put = () => addEntry(table, { entry, origin: null }, KEEP);
      return (await turns(entry.session_key, put)).count === 1;
    },
    async list(session, limit) {
      const kept = await turns(session, () => entries.first(session, limit));
      return kept.map(({ entry }) => entry);
    },
    async remove(session, ids) {
      await turns(session, () => takeEntries(table, session, ids, KEEP));
    },
    async setNotified(session, notified) {
      const notice = notified ? "sent" : "none";
      const decide: DecideInbox = (state) => ({ state: { ...state, notice }, notify: false });
      await turns(session, () => changeSession(table, session, decide));
    },
    sessions: () => sessions(table),
    expired: (nowMs, limit) => expired(table, nowMs, limit),
  };
}
