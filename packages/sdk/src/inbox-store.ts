import type { OrgLoopEvent } from "./event.ts";

/**
 * An event that waits in the inbox of a session until the actor fetches it (v1alpha1, section 4,
 * Inbox).
 */
export interface InboxEntry {
  /** The same whenever the same event, replay and route is queued. */
  readonly id: string;
  readonly session_key: string;
  readonly route: string;
  readonly actor: string;
  /** As the actor would have got it. */
  readonly event: OrgLoopEvent;
  readonly ordering_key: string;
  /** ISO 8601, UTC; when it expires it becomes a dead letter. */
  readonly queued_at: string;
  readonly expires_at: string;
  /** How many events a drain takes that does not say. */
  readonly max_batch: number;
}

/**
 * What the actor knows of a session's inbox. `none`: nothing. `sending`: it is being told. `stale`:
 * it drained while it was being told. `sent`: it was told, and has not drained since.
 */
export type Notice = "none" | "sending" | "stale" | "sent";

/** A session's inbox: one notification, until the actor has drained (v1alpha1, section 4). */
export interface InboxState {
  readonly pending: number;
  readonly notice: Notice;
}

/** A session whose inbox is not empty. */
export interface InboxSession {
  readonly session_key: string;
  readonly pending: number;
  /** The actor was told that there is something, and has not drained since. */
  readonly notified: boolean;
}

/** Inboxes over restarts: what `put` resolved is there until it is removed. */
export interface InboxStore {
  /**
   * Resolves when the entry is durable. The same id twice is one entry, in the place of the first;
   * false: it was there.
   */
  put(entry: InboxEntry): Promise<boolean>;
  /**
   * A session's entries in the order in which they were put, at most `limit`; fewer where they are
   * large, but one at least.
   */
  list(sessionKey: string, limit: number): Promise<readonly InboxEntry[]>;
  /** Resolves when that is durable; unknown ids are ignored. */
  remove(sessionKey: string, ids: readonly string[]): Promise<void>;
  /** Remembers {@link InboxSession.notified}; forgotten when the inbox is empty. */
  setNotified(sessionKey: string, notified: boolean): Promise<void>;
  sessions(): Promise<readonly InboxSession[]>;
  /** Entries that have expired at `nowMs`, at most `limit`. */
  expired(nowMs: number, limit: number): Promise<readonly InboxEntry[]>;
  close?(): Promise<void>;
}
