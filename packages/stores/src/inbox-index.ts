import type { InboxEntry, InboxSession } from "@orgloop/sdk";

/** What an index keeps of an entry: where it stands, or the entry itself. */
interface Kept<Held> {
  readonly held: Held;
  readonly expiresMs: number;
}

interface Session<Held> {
  readonly entries: Map<string, Kept<Held>>;
  notified: boolean;
}

/**
 * When an entry expires, on the clock that {@link InboxIndex.expired} is asked by; asked when the
 * entry comes in.
 */
export type InboxDeadline = (entry: Omit<InboxEntry, "event">) => number;

/** Which entries wait in which inbox; `Held` is how the store gets at one. */
export class InboxIndex<Held> {
  readonly #sessions = new Map<string, Session<Held>>();
  readonly #deadlineOf: InboxDeadline;
  /** No entry expires sooner. */
  #nextExpiryMs = Number.POSITIVE_INFINITY;

  constructor(deadlineOf: InboxDeadline = ({ expires_at }) => Date.parse(expires_at)) {
    this.#deadlineOf = deadlineOf;
  }

  /** An id that is there already keeps its place; returns what was held for it. */
  put(entry: Omit<InboxEntry, "event">, held: Held): Held | undefined {
    const { id, session_key } = entry;
    let session = this.#sessions.get(session_key);
    if (session === undefined) {
      session = { entries: new Map(), notified: false };
      this.#sessions.set(session_key, session);
    }
    const before = session.entries.get(id)?.held;
    const expiresMs = this.#deadlineOf(entry);
    session.entries.set(id, { held, expiresMs });
    this.#nextExpiryMs = Math.min(this.#nextExpiryMs, expiresMs);
    return before;
  }

  /** When an entry expires that is there; else as it says. */
  deadlineOf(entry: Omit<InboxEntry, "event">): number {
    const kept = this.#sessions.get(entry.session_key)?.entries.get(entry.id);
    return kept?.expiresMs ?? this.#deadlineOf(entry);
  }

  /** Returns what was held for the ids. */
  remove(sessionKey: string, ids: readonly string[]): readonly Held[] {
    const session = this.#sessions.get(sessionKey);
    if (session === undefined) return [];
    const removed: Held[] = [];
    for (const id of ids) {
      const kept = session.entries.get(id);
      if (kept === undefined) continue;
      session.entries.delete(id);
      removed.push(kept.held);
    }
    if (session.entries.size === 0) this.#sessions.delete(sessionKey);
    return removed;
  }

  setNotified(sessionKey: string, notified: boolean): void {
    const session = this.#sessions.get(sessionKey);
    if (session !== undefined) session.notified = notified;
  }

  *of(sessionKey: string): Generator<Held> {
    for (const { held } of this.#sessions.get(sessionKey)?.entries.values() ?? []) yield held;
  }

  sessions(): readonly InboxSession[] {
    return Array.from(this.#sessions, ([session_key, { entries, notified }]) => ({
      session_key,
      pending: entries.size,
      notified,
    }));
  }

  /** Every entry, those of a session together. */
  *all(): Generator<Held> {
    for (const key of this.#sessions.keys()) yield* this.of(key);
  }

  /** Looks through the entries only where one may have expired. */
  expired(nowMs: number, limit: number): readonly Held[] {
    if (nowMs < this.#nextExpiryMs) return [];
    const found: Held[] = [];
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { entries } of this.#sessions.values()) {
      for (const { held, expiresMs } of entries.values()) {
        nextMs = Math.min(nextMs, expiresMs);
        if (expiresMs > nowMs) continue;
        found.push(held);
        if (found.length === limit) return found;
      }
    }
    this.#nextExpiryMs = nextMs;
    return found;
  }
}
