import { type Delivery, type InboxTerms, inboxEntry, queuedEntry } from "@orgloop/engine";
import type { InboxStore } from "@orgloop/sdk";
import { inFlight } from "../apply/in-flight.ts";
import { durably } from "../data/durably.ts";
import type { Settled } from "../delivery/taken-deliveries.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { Activity } from "../telemetry/activity.ts";
import { type InboxBatch, inboxDrains } from "./inbox-drains.ts";
import { expireInboxes } from "./inbox-expiry.ts";
import { type InboxNoticesOptions, inboxNotices } from "./inbox-notices.ts";
import { inboxSessions } from "./inbox-sessions.ts";

export interface InboxOptions extends Omit<InboxNoticesOptions, "sessions" | "track"> {
  readonly store: InboxStore;
  readonly writeDeadLetter: WriteDeadLetter;
  readonly activity: Activity;
  /** Aborted when a drain gives up waiting. */
  readonly abandon: AbortSignal;
}

/**
 * Where agents fetch their events themselves: a delivery whose route says so is kept, durably, and
 * is settled with that; the actor is told once until it has drained. What nobody fetches in time
 * becomes a dead letter, `expired`.
 */
export interface Inbox {
  /** Takes a delivery whose route has an inbox; resolves when it has a place. */
  take(delivery: Delivery, terms: InboxTerms, onSettled: (how: Settled) => void): Promise<void>;
  drain(sessionKey: string, limit?: number): Promise<InboxBatch>;
  pending(sessionKey: string): Promise<number>;
  sessions(): Promise<readonly { readonly session_key: string; readonly pending: number }[]>;
  /** Tells the actors what waits from before, and begins to look for what expires. */
  start(): Promise<void>;
  /** Resolves when, after the stop, nothing is under way. */
  ended(): Promise<void>;
}

/** Entries that are being written at once: they share syncs. */
const MAX_WRITING = 1_000;

export function openInbox(options: InboxOptions): Inbox {
  const { store, clock, log, activity, abandon } = options;
  const durable = durably({ clock, log, stop: abandon });
  const sessions = inboxSessions();
  /** Being drained or given up: nobody else gets them meanwhile. */
  const taken = new Set<string>();
  const { track, ended } = inFlight();
  const notify = inboxNotices({ ...options, sessions, track });
  const drain = inboxDrains({ store, clock, durable, sessions, taken, track, notify });
  let writing = 0;

  async function keep(
    delivery: Delivery,
    terms: InboxTerms,
    onSettled: (how: Settled) => void,
  ): Promise<void> {
    const startedMs = clock.now();
    const entry = inboxEntry(delivery, terms, clock.wall());
    const put = await durable("inbox entry not written", () => store.put(entry));
    if (put === null) return;
    const duration_ms = clock.now() - startedMs;
    log(queuedEntry(delivery, terms.sessionKey, duration_ms));
    activity.delivered(delivery.route, delivery.actor, duration_ms);
    onSettled("delivered");
    // Otherwise it came back after a crash, and was counted at the start.
    if (put.value && sessions.change(terms.sessionKey, { kind: "queued" }))
      notify(terms.sessionKey);
  }

  return {
    async take(delivery, terms, onSettled) {
      writing += 1;
      const kept = track(keep(delivery, terms, onSettled)).finally(() => {
        writing -= 1;
      });
      if (writing > MAX_WRITING) await kept;
    },
    drain,
    pending: async (key) => sessions.state(key).pending,
    sessions: async () => sessions.waiting(),
    async start() {
      sessions.load(await store.sessions());
      for (const key of [...sessions.states.keys()]) {
        if (sessions.change(key, { kind: "resumed" })) notify(key);
      }
      const onExpired = (key: string): void => {
        sessions.change(key, { kind: "expired", count: 1 });
      };
      void track(expireInboxes({ ...options, sessions, taken, onExpired }));
    },
    ended,
  };
}
