import {
  ActorQueue,
  type ActorQueueOptions,
  type AttemptState,
  attemptDelivery,
  type Circuit,
  circuitOf,
  type Delivery,
  type DeliveryPolicy,
  deliveryEntry,
  deliveryId,
  deliveryLetter,
  type Offer,
  type QueuedDelivery,
} from "@orgloop/core";
import { abandonment, callActor } from "@orgloop/host";
import { type Actor, type DeadReason, type LogEntry, OrgLoopError } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { Alert } from "./alerts.ts";
import { type AttemptStarts, startKey } from "./attempt-starts.ts";
import type { Bury } from "./burial.ts";
import { type Clock, callAt } from "./clock.ts";
import { deliveryReport } from "./delivery-report.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";
import { rateLimitedLog } from "./rate-limited-log.ts";

export interface ActorDelivererOptions extends Omit<ActorQueueOptions, "onLimited"> {
  /** The actor's. */
  readonly id: string;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly bury: Bury;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly alert: Alert;
  readonly kept: Pick<KeptRouteStates, "save">;
  readonly starts: AttemptStarts;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
}

/** How a delivery has ended: the actor has it, or a durable dead letter. */
export type Settled = "delivered" | "buried";

/** Gives one actor its deliveries: core's queue decides, this attempts, waits, buries and settles. */
export interface ActorDeliverer {
  /**
   * Resolves when the delivery has a place, or is settled. Rejects with `DRAINING` where it gets none before the process stops.
   * With `waits` it waits for its place whatever the route's `overflow` says, and displaces nothing. `returned`: it was handed over
   * before, and may be what ended the process then.
   */
  push(
    delivery: Delivery,
    onSettled: (how: Settled) => void,
    options?: { readonly waits?: boolean; readonly returned?: boolean },
  ): Promise<void>;
  readonly queued: number;
  readonly inFlight: number;
  readonly depth: number;
  /** Keeps every route's breaker and rate for the next process. */
  keep(): void;
  circuit(route: string): Circuit;
  /** Starts nothing more; resolves when nothing is in flight. What waits stays unsettled. */
  close(): Promise<void>;
}

export function actorDeliverer(options: ActorDelivererOptions): ActorDeliverer {
  const { policies, actor, clock, bury, log, activity, abandon } = options;
  const { id, alert, kept, starts } = options;
  const limited = rateLimitedLog(id, log, clock.now);
  const queue = new ActorQueue({ ...options, onLimited: limited });
  /** Deliveries that may have ended the process before. */
  const suspects = new Set<Delivery>();
  const abandoned = abandonment(abandon);
  const report = deliveryReport({ log, activity, alert, now: clock.now });
  const settled = new Map<Delivery, (how: Settled) => void>();
  const idle = Promise.withResolvers<void>();
  /** Who waits for a place, by route. */
  const applicants = new Map<string, Set<() => void>>();
  let cancelWake = (): void => {};
  let working = 0;
  let burying = 0;
  let closed = false;

  function pump(): void {
    cancelWake();
    while (!closed) {
      const next = queue.next(clock.now());
      if (next.kind === "wait") {
        if (next.atMs !== null) cancelWake = callAt(clock, next.atMs, pump);
        break;
      }
      if (next.kind === "expired") void work(() => giveUp(next.delivery, "expired", next.state));
      else void work(() => attempt(next.item, next.probe));
    }
    for (const waiting of applicants.values()) {
      // One a route: it wakes the next when it has its place. All of them after closing: each is turned away.
      for (const wake of waiting) {
        wake();
        if (!closed) break;
      }
    }
  }

  function place(route: string): Promise<void> {
    return new Promise((resolve) => {
      const waiting = applicants.get(route) ?? new Set();
      applicants.set(route, waiting);
      const wake = (): void => {
        waiting.delete(wake);
        if (waiting.size === 0) applicants.delete(route);
        resolve();
      };
      waiting.add(wake);
    });
  }

  /** Counts what `close` waits for. */
  async function work(task: () => Promise<void>): Promise<void> {
    working += 1;
    await task();
    working -= 1;
    if (closed && working === 0) idle.resolve();
    pump();
  }

  function keep(route: string): void {
    kept.save(route, queue.breaker(route), queue.rate(route));
  }

  function settle(delivery: Delivery, how: Settled): void {
    suspects.delete(delivery);
    settled.get(delivery)?.(how);
    settled.delete(delivery);
  }

  async function giveUp(
    delivery: Delivery,
    reason: DeadReason,
    state: AttemptState,
  ): Promise<void> {
    if (await bury(deliveryLetter(delivery, reason, state, clock.now())))
      settle(delivery, "buried");
  }

  /** Buries what a newcomer displaced; the newcomer's source, and so other actors, wait only where very many are being buried. */
  async function buryAside(victim: Delivery, state: AttemptState): Promise<void> {
    burying += 1;
    const buried = work(async () => {
      await giveUp(victim, "backpressure", state);
      burying -= 1;
    });
    if (burying > MAX_BURYING) await buried;
  }

  async function attempt(item: QueuedDelivery, probe: boolean): Promise<void> {
    const { delivery } = item;
    const policy = policies.get(delivery.route) as DeliveryPolicy;
    if (isSlow(policy)) keep(delivery.route);
    if (!suspects.has(delivery)) return attemptOnce(item, probe, policy);
    const key = startKey(delivery.event.id, delivery.replay, delivery.route);
    const deaths = starts.deaths(key);
    if (deaths >= policy.retry.maxAttempts) {
      const lastError = `the process ended ${deaths} times during its attempts`;
      const state = { ...item.state, attempts: deaths, firstError: lastError, lastError };
      await giveUp(delivery, "poison", state);
      starts.end(key);
      queue.finish(item, { kind: "dead", reason: "poison", state });
      return;
    }
    // A disk that takes no note of it must not keep it from being delivered.
    await starts.begin(key, abandon).catch(() => undefined);
    await attemptOnce(item, probe, policy);
    starts.end(key);
  }

  async function attemptOnce(
    item: QueuedDelivery,
    probe: boolean,
    policy: DeliveryPolicy,
  ): Promise<void> {
    const { delivery, state } = item;
    const about = deliveryEntry(delivery);
    const number = state.attempts + 1;
    if (probe) log({ ...about, phase: "circuit.half_open" });
    log({ ...about, phase: "deliver.attempt", attempt: number });
    const startedMs = clock.now();
    const outcome = await attemptDelivery(delivery, state, {
      policy,
      probe,
      breaker: () => queue.breaker(delivery.route),
      keepBreaker(after, before) {
        if (abandon.aborted) return;
        queue.keepBreaker(delivery.route, after);
        if (before.openUntilMs !== after.openUntilMs) keep(delivery.route);
        report.circuit(delivery, before, after);
      },
      now: clock.now,
      random: clock.random,
      deliver: () =>
        callActor(delivery, number, {
          actor,
          deliveryId: deliveryId(delivery, policies.size > 1),
          timeoutMs: policy.timeoutMs,
          abandonment: abandoned,
          clock,
        }).catch((error) => {
          report.gone(delivery, error);
          throw error;
        }),
    });
    // Abandoned, not failed: it is on the bus and comes again after the restart.
    if (abandon.aborted && outcome.kind !== "delivered") return;
    report.attempted(delivery, outcome, number, clock.now() - startedMs);
    if (outcome.kind === "dead") await giveUp(delivery, outcome.reason, outcome.state);
    else if (outcome.kind === "delivered") settle(delivery, "delivered");
    queue.finish(item, outcome);
  }

  return {
    get queued() {
      return queue.queued;
    },
    get inFlight() {
      return queue.inFlight;
    },
    get depth() {
      return queue.depth;
    },
    keep() {
      for (const route of policies.keys()) keep(route);
    },
    circuit: (route) => circuitOf(queue.breaker(route), clock.now()),
    async push(delivery, onSettled, { waits = false, returned = false } = {}) {
      settled.set(delivery, onSettled);
      if (returned) suspects.add(delivery);
      for (;;) {
        if (closed) {
          settled.delete(delivery);
          throw new OrgLoopError("DRAINING", "the process is stopping: nothing more is taken on");
        }
        const mayOffer = !waits || queue.hasRoom(delivery.route);
        const offer: Offer = mayOffer ? queue.offer(delivery) : { kind: "full" };
        if (offer.kind === "queued") return pump();
        if (offer.kind === "dropped") {
          report.dropped(offer.victim, queue.depth);
          pump();
          return buryAside(offer.victim, offer.state);
        }
        await place(delivery.route);
      }
    },
    close() {
      closed = true;
      pump();
      if (working === 0) idle.resolve();
      return idle.promise;
    },
  };
}

/** Displaced deliveries whose dead letters are being written at once: they share syncs. */
const MAX_BURYING = 1_000;

/** Rates whose deliveries are at least this far apart are kept at once: a crash would let another through too early. */
const SLOW_SPACING_MS = 10_000;

function isSlow({ rate }: DeliveryPolicy): boolean {
  return rate !== null && rate.perMs / rate.count >= SLOW_SPACING_MS;
}
