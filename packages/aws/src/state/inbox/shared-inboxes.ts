import type { InboxEntry, InboxState, InboxStore } from "@orgloop/sdk";
import type { KeptEntry } from "./inbox-entry-items.ts";

/**
 * What becomes of a session when `count` entries were put or removed: a pure function of how it was
 * before (core's `changeInbox`), called anew where another was faster. `notify`: its actor is to be
 * told.
 */
export type DecideInbox = (
  before: InboxState,
  count: number,
) => { readonly state: InboxState; readonly notify: boolean };

export interface InboxChanged {
  /** Entries that were put, or removed. */
  readonly count: number;
  readonly state: InboxState;
  /**
   * The notification that is to be sent now: whoever sends it says so by `noticeSent`. Null: none.
   */
  readonly noticeId: string | null;
}

/** A session that somebody has to look after. */
export interface DueSession {
  readonly session_key: string;
  /** An entry of it may have expired. */
  readonly expired: boolean;
  /** A notification that nobody has sent for a minute. */
  readonly noticeId: string | null;
}

/**
 * Inboxes that functions and the command line share: entries and what the actor knows change in one
 * transaction.
 */
export interface SharedInboxes extends InboxStore {
  /** Puts an entry that is not there yet. */
  add(kept: KeptEntry, decide: DecideInbox): Promise<InboxChanged>;
  /** Removes entries, thousands not all at once, but before the decision. */
  take(session: string, ids: readonly string[], decide: DecideInbox): Promise<InboxChanged>;
  change(session: string, decide: DecideInbox): Promise<InboxChanged>;
  state(session: string): Promise<InboxState>;
  oldest(session: string): Promise<KeptEntry | null>;
  noticeSent(session: string, noticeId: string): Promise<void>;
  /**
   * Keeps others from taking entries of the session: the number of the lease, or null where another
   * holds it or nothing waits.
   */
  lease(session: string, ms: number): Promise<string | null>;
  release(session: string, lease: string): Promise<void>;
  /**
   * What waits and has not expired, in its order: at most `limit`, and how many there are in all.
   */
  waiting(
    session: string,
    nowMs: number,
    limit: number,
  ): Promise<{ readonly entries: readonly InboxEntry[]; readonly pending: number }>;
  due(nowMs: number): Promise<readonly DueSession[]>;
  expiredOf(session: string, nowMs: number, limit: number): Promise<readonly InboxEntry[]>;
}
