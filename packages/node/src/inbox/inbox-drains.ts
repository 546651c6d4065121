import { type DrainAnswer, drainAnswer, drainSize } from "@orgloop/engine";
import type { InboxStore } from "@orgloop/sdk";
import type { Track } from "../apply/in-flight.ts";
import type { Durably } from "../data/durably.ts";
import type { Clock } from "../process/clock.ts";
import type { InboxSessions } from "./inbox-sessions.ts";

/**
 * What a drain found. Nothing is removed yet: `done` does that when the answer has gone out, `keep`
 * leaves it.
 */
export interface InboxBatch extends DrainAnswer {
  done(): Promise<void>;
  keep(): void;
}

export interface InboxDrainsOptions {
  readonly store: InboxStore;
  readonly clock: Clock;
  readonly durable: Durably;
  readonly sessions: InboxSessions;
  /** Entries that others have in hand; those that are drained are added. */
  readonly taken: Set<string>;
  readonly track: Track;
  /** Tells the session's actor of what waits. */
  readonly notify: (key: string) => void;
}

/** Gives a session's entries, the oldest first, to whoever asks. */
export function inboxDrains(
  options: InboxDrainsOptions,
): (key: string, limit?: number) => Promise<InboxBatch> {
  const { store, clock, durable, sessions, taken, track, notify } = options;
  let choosing: Promise<unknown> = Promise.resolve();

  async function choose(key: string, limit?: number): Promise<InboxBatch> {
    const most = drainSize(limit, (await store.list(key, 1))[0]);
    const expired = await store.expired(clock.now(), most);
    const gone = new Set([...taken, ...expired.map(({ id }) => id)]);
    const entries = (await store.list(key, most + gone.size))
      .filter(({ id }) => !taken.has(id) && !gone.has(id))
      .slice(0, most);
    const ids = entries.map(({ id }) => id);
    for (const id of ids) taken.add(id);
    return {
      ...drainAnswer(entries, sessions.state(key).pending),
      done: () => track(remove(key, ids)),
      keep() {
        for (const id of ids) taken.delete(id);
      },
    };
  }

  /**
   * The notice first: where the process dies in between, the actor is told again of what it has.
   */
  async function remove(key: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const removed = await durable("inbox not drained", () =>
      Promise.all([store.setNotified(key, false), store.remove(key, ids)]),
    );
    for (const id of ids) taken.delete(id);
    if (removed === null) return;
    if (sessions.change(key, { kind: "drained", count: ids.length })) notify(key);
  }

  return (key, limit) => {
    // One after the other: what one takes the next must not see.
    const batch = choosing.then(() => choose(key, limit));
    choosing = batch.catch(() => undefined);
    return batch;
  };
}
