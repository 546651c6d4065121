import {
  ActorQueue,
  type ActorQueueOptions,
  type AttemptState,
  attemptDelivery,
  type BreakerState,
  type Circuit,
  circuitOf,
  type Delivery,
  type DeliveryPolicy,
  type Offer,
  type Outcome,
  type QueuedDelivery,
} from "@orgloop/core";
import { type Actor, type DeadReason, type LogEntry, OrgLoopError } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { Bury } from "./burial.ts";
import { callActor } from "./call-actor.ts";
import { type Clock, callAt } from "./clock.ts";
import { deliveryLetter } from "./dead-letter.ts";

export interface ActorDelivererOptions extends ActorQueueOptions {
  readonly actor: Actor;
  readonly clock: Clock;
  readonly bury: Bury;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
}

/** How a delivery has ended: the actor has it, or a durable dead letter. */
export type Settled = "delivered" | "buried";

/** Gives one actor its deliveries: core's queue decides, this attempts, waits, buries and settles. */
export interface ActorDeliverer {
  /**
   * Resolves when the delivery has a place, or is settled. Rejects with `DRAINING` where it gets none before the process stops.
   * With `waits` it waits for its place whatever the route's `overflow` says, and displaces nothing.
   */
  push(
    delivery: Delivery,
    onSettled: (how: Settled) => void,
    options?: { readonly waits: boolean },
  ): Promise<void>;
  readonly queued: number;
  readonly inFlight: number;
  readonly depth: number;
  circuit(route: string): Circuit;
  /** Starts nothing more; resolves when nothing is in flight. What waits stays unsettled. */
  close(): Promise<void>;
}

export function actorDeliverer(options: ActorDelivererOptions): ActorDeliverer {
  const { policies, actor, clock, bury, log, activity, abandon } = options;
  const queue = new ActorQueue(options);
  const settled = new Map<Delivery, (how: Settled) => void>();
  const idle = Promise.withResolvers<void>();
  /** Who waits for a place, by route. */
  const applicants = new Map<string, Set<() => void>>();
  let cancelWake = (): void => {};
  let working = 0;
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

  function settle(delivery: Delivery, how: Settled): void {
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

  async function attempt(item: QueuedDelivery, probe: boolean): Promise<void> {
    const { delivery, state } = item;
    const policy = policies.get(delivery.route) as DeliveryPolicy;
    const about = describe(delivery);
    const number = state.attempts + 1;
    if (probe) log({ ...about, phase: "circuit.half_open" });
    log({ ...about, phase: "deliver.attempt", attempt: number });
    const startedMs = clock.now();
    const outcome = await attemptDelivery(delivery, state, {
      policy,
      probe,
      breaker: () => queue.breaker(delivery.route),
      keepBreaker(after, before) {
        queue.keepBreaker(delivery.route, after);
        reportCircuit(delivery, before, after);
      },
      now: clock.now,
      random: clock.random,
      deliver: () =>
        callActor(delivery, number, { actor, timeoutMs: policy.timeoutMs, abandon, clock }),
    });
    // Abandoned, not failed: it is on the bus and comes again after the restart.
    if (abandon.aborted && outcome.kind !== "delivered") return;
    report(delivery, outcome, number, clock.now() - startedMs);
    if (outcome.kind === "dead") await giveUp(delivery, outcome.reason, outcome.state);
    else if (outcome.kind === "delivered") settle(delivery, "delivered");
    queue.finish(item, outcome);
  }

  function report(
    delivery: Delivery,
    outcome: Outcome,
    attempt: number,
    duration_ms: number,
  ): void {
    const about = { ...describe(delivery), attempt, duration_ms };
    if (outcome.kind === "delivered") {
      log({ ...about, phase: "deliver.success", result: outcome.status });
      activity.delivered(delivery.route, delivery.actor, duration_ms);
      return;
    }
    activity.attemptFailed(delivery.route, delivery.actor, duration_ms);
    const { lastError } = outcome.state;
    const failure = { ...about, ...(lastError !== null && { error: lastError }) };
    if (outcome.kind === "dead") {
      log({ ...failure, phase: "deliver.failure", result: outcome.reason });
      return;
    }
    const againMs = outcome.kind === "retry" ? outcome.atMs : outcome.untilMs;
    const metadata = { retry_at: new Date(againMs).toISOString() };
    log({ ...failure, phase: "deliver.retry", metadata });
  }

  function reportCircuit(delivery: Delivery, before: BreakerState, after: BreakerState): void {
    if (before.openUntilMs === after.openUntilMs) return;
    const about = describe(delivery);
    if (after.openUntilMs === null) {
      log({ ...about, phase: "circuit.close" });
      return;
    }
    const metadata = { until: new Date(after.openUntilMs).toISOString() };
    log({ ...about, phase: "circuit.open", metadata });
  }

  function reportDrop(dropped: Delivery): void {
    log({ ...describe(dropped), phase: "pipeline.backpressure", queue_depth: queue.depth });
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
    circuit: (route) => circuitOf(queue.breaker(route), clock.now()),
    async push(delivery, onSettled, { waits } = { waits: false }) {
      settled.set(delivery, onSettled);
      for (;;) {
        if (closed) {
          settled.delete(delivery);
          throw new OrgLoopError("DRAINING", "the process is stopping: nothing more is taken on");
        }
        const mayOffer = !waits || queue.hasRoom(delivery.route);
        const offer: Offer = mayOffer ? queue.offer(delivery) : { kind: "full" };
        if (offer.kind === "queued") return pump();
        if (offer.kind === "dropped") {
          reportDrop(offer.victim);
          pump();
          return giveUp(offer.victim, "backpressure", offer.state);
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

function describe({ event, route, actor, replay }: Delivery) {
  return {
    ...(replay > 0 && { replay }),
    event_id: event.id,
    trace_id: event.trace_id,
    source: event.source,
    event_type: event.type,
    route,
    target: actor,
  };
}
