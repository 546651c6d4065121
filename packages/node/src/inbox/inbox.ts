import {
  type Delivery,
  type DrainAnswer,
  drainAnswer,
  drainSize,
  fillRoute,
  type InboxTerms,
  inboxEntry,
  inboxTerms,
  noticeDelivery,
  noticeEntry,
  queuedEntry,
  withNoticeKey,
} from "@orgloop/engine";
import {
  type InboxEntry,
  type InboxStore,
  type LogEntry,
  messageOf,
  type Prompt,
  type RouteSpec,
} from "@orgloop/sdk";
import { underWay } from "../apply/under-way.ts";
import { durably } from "../data/durably.ts";
import type { ActorDeliverer } from "../delivery/actor-deliverer.ts";
import type { Bury } from "../delivery/burial.ts";
import type { Settled } from "../delivery/push-options.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import { expireInboxes } from "./inbox-expiry.ts";
import { inboxSessions } from "./inbox-sessions.ts";

/** {@link ActorDeliverer.push} of the delivery's actor. */
export type Push = ActorDeliverer["push"];

export interface InboxOptions {
  readonly store: InboxStore;
  /** The route as it is now; undefined where it is gone. */
  readonly routeOf: (name: string) => RouteSpec | undefined;
  readonly promptOf: (route: RouteSpec) => Prompt | undefined;
  /** Straight to the actor, past its inbox. */
  readonly delivererOf: (actor: string) => ActorDeliverer | undefined;
  readonly bury: Bury;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
  /** Aborted when a drain gives up waiting. */
  readonly abandon: AbortSignal;
}

/** What a drain found. Nothing is removed yet: `done` does that when the answer has gone out, `keep` leaves it. */
export interface InboxBatch extends DrainAnswer {
  done(): Promise<void>;
  keep(): void;
}

/**
 * Where agents fetch their events themselves: a delivery whose route says so is kept, durably, and is settled with that; the actor is
 * told once until it has drained. What nobody fetches in time becomes a dead letter, `expired`.
 */
export interface Inbox {
  /** Takes the delivery where its route has an inbox; resolves when it has a place. False: it is none of ours. */
  take(delivery: Delivery, onSettled: (how: Settled) => void): Promise<boolean>;
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
  const { store, clock, log, activity, stop, abandon } = options;
  const durable = durably({ clock, log, stop: abandon });
  const sessions = inboxSessions();
  /** Being drained or buried: nobody else gets them meanwhile. */
  const taken = new Set<string>();
  const { track, ended } = underWay();
  let writing = 0;
  let choosing: Promise<unknown> = Promise.resolve();

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
    if (put.value && sessions.change(terms.sessionKey, { kind: "queued" })) tell(terms.sessionKey);
  }

  function tell(key: string): void {
    void track(
      notify(key).catch((error) => {
        noticeEnded(key, "failed", null, error);
      }),
    );
  }

  async function notify(key: string): Promise<void> {
    const [oldest] = await store.list(key, 1);
    if (oldest === undefined) {
      // Drained meanwhile.
      if (sessions.change(key, { kind: "notice_delivered" })) tell(key);
      return;
    }
    const route = options.routeOf(oldest.route);
    const deliverer = route === undefined ? undefined : options.delivererOf(route.then.actor);
    if (route === undefined || deliverer === undefined) {
      throw new Error(`the route "${oldest.route}" no longer exists`);
    }
    const delivery = noticeOf(key, oldest, route);
    const ended = (how: Settled): void => noticeEnded(key, how, delivery);
    await deliverer.push(delivery, ended, { waits: true });
  }

  function noticeOf(key: string, oldest: InboxEntry, route: RouteSpec): Delivery {
    return noticeDelivery({
      sessionKey: key,
      pending: sessions.state(key).pending,
      oldest: oldest.event,
      route: route.name,
      actor: route.then.actor,
      ...fillRoute(
        { route: route.name, config: route.then.config, prompt: options.promptOf(route) },
        oldest.event,
      ),
      nowMs: clock.wall(),
    });
  }

  function noticeEnded(
    key: string,
    how: Settled | "failed",
    delivery: Delivery | null,
    error?: unknown,
  ): void {
    const isTold = how === "delivered";
    const again = sessions.change(key, { kind: isTold ? "notice_delivered" : "notice_failed" });
    if (stop.aborted && !isTold) return;
    const { pending } = sessions.state(key);
    const why = error === undefined ? {} : { error: messageOf(error) };
    log(noticeEntry({ sessionKey: key, pending, delivered: isTold, ...why }, delivery));
    if (sessions.state(key).notice === "sent") remember(key, true);
    if (again) tell(key);
  }

  /** Forgotten, it only tells the actor once more after a restart. */
  function remember(key: string, notified: boolean): void {
    track(store.setNotified(key, notified)).catch((error) =>
      log({ phase: "system.error", error: `inbox notice not written: ${messageOf(error)}` }),
    );
  }

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

  /** The notice first: where the process dies in between, the actor is told again of what it has. */
  async function remove(key: string, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const removed = await durable("inbox not drained", () =>
      Promise.all([store.setNotified(key, false), store.remove(key, ids)]),
    );
    for (const id of ids) taken.delete(id);
    if (removed === null) return;
    if (sessions.change(key, { kind: "drained", count: ids.length })) tell(key);
  }

  return {
    async take(delivery, onSettled) {
      const terms = inboxTerms(delivery);
      if (terms === null) return false;
      writing += 1;
      const kept = track(keep(delivery, terms, onSettled)).finally(() => {
        writing -= 1;
      });
      if (writing > MAX_WRITING) await kept;
      return true;
    },
    drain(key, limit) {
      // One after the other: what one takes the next must not see.
      const batch = choosing.then(() => choose(key, limit));
      choosing = batch.catch(() => undefined);
      return batch;
    },
    pending: async (key) => sessions.state(key).pending,
    sessions: async () =>
      Array.from(sessions.keys(), (session_key) => ({
        session_key,
        pending: sessions.state(session_key).pending,
      })).filter(({ pending }) => pending > 0),
    async start() {
      sessions.load(await store.sessions());
      for (const key of [...sessions.keys()]) {
        if (sessions.change(key, { kind: "resumed" })) tell(key);
      }
      const onExpired = (key: string): void => {
        sessions.change(key, { kind: "expired", count: 1 });
      };
      void track(expireInboxes({ ...options, taken, onExpired }));
    },
    ended,
  };
}

/** Gives a delivery to the inbox of its session where it has one, otherwise to its actor. */
export function inboxFirst({ take }: Pick<Inbox, "take">, push: Push): Push {
  return async (delivery, onSettled, options) => {
    const own = withNoticeKey(delivery);
    if (await take(own, onSettled)) return;
    await push(own, onSettled, options);
  };
}
