import { expiredInboxLetter } from "@orgloop/engine";
import { type InboxEntry, type InboxStore, type LogEntry, messageOf } from "@orgloop/sdk";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import { type Clock, waitUntil } from "../process/clock.ts";
import type { InboxSessions } from "./inbox-sessions.ts";

export interface InboxExpiryOptions {
  readonly store: InboxStore;
  readonly writeDeadLetter: WriteDeadLetter;
  readonly sessions: Pick<InboxSessions, "states">;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Entries that others have in hand; those that become letters are added. */
  readonly taken: Set<string>;
  readonly onExpired: (sessionKey: string) => void;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
}

const EVERY_MS = 1_000;
const AT_ONCE = 100;

/** Makes dead letters, `expired`, of what nobody has fetched in time; resolves after the stop. */
export async function expireInboxes(options: InboxExpiryOptions): Promise<void> {
  const { clock, log, stop } = options;
  while (!stop.aborted) {
    try {
      if (options.sessions.states.size > 0) await writeExpiredLetters(options);
    } catch (error) {
      log({ phase: "system.error", error: `inbox: ${messageOf(error)}` });
    }
    await waitUntil(clock, clock.now() + EVERY_MS, stop);
  }
}

async function writeExpiredLetters(options: InboxExpiryOptions): Promise<void> {
  const { store, clock, taken, stop } = options;
  for (;;) {
    const found = await store.expired(clock.now(), AT_ONCE);
    const entries = found.filter(({ id }) => !taken.has(id));
    for (const { id } of entries) taken.add(id);
    try {
      await Promise.all(entries.map((entry) => writeExpiredLetter(entry, options)));
    } finally {
      for (const { id } of entries) taken.delete(id);
    }
    if (entries.length < AT_ONCE || stop.aborted) return;
  }
}

/** The letter first: where the process dies in between, it is written once more, the same. */
async function writeExpiredLetter(
  entry: InboxEntry,
  { store, writeDeadLetter, clock, onExpired }: InboxExpiryOptions,
): Promise<void> {
  if (!(await writeDeadLetter(expiredInboxLetter(entry, clock.wall())))) return;
  await store.remove(entry.session_key, [entry.id]);
  onExpired(entry.session_key);
}
