import {
  ActorQueue,
  abandonment,
  type BreakerChange,
  type BreakerState,
  type Circuit,
  circuitOf,
  type Delivery,
  deliverOnce,
  deliveryId,
  expiryDeadline,
  type Next,
  type Offer,
  type QueuedDelivery,
  type Verdict,
} from "@orgloop/engine";
import { type AttemptState, type DeadReason, OrgLoopError } from "@orgloop/sdk";
import { callAt } from "../process/clock.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import { askedWaits } from "./asked-waits.ts";
import { processSlots, within } from "./attempt-slots.ts";
import { deliveryKey } from "./attempt-starts.ts";
import { letterOf, neverCameState } from "./delivery-letter.ts";
import { deliveryReport } from "./delivery-report.ts";
import { isSlow } from "./kept-route-states.ts";
import type { PushOptions, Settled } from "./push-options.ts";
import { rateLimitedLog } from "./rate-limited-log.ts";
import { type TakenDelivery, transformQueued } from "./transform-queued.ts";
import { waitingPlaces } from "./waiting-places.ts";

type Attempt = Extract<Next, { kind: "attempt" }>;

/** Gives one actor its deliveries: core's queue decides, this attempts, waits, buries and settles. */
export interface ActorDeliverer {
  /** Resolves when the delivery has a place, or is settled. Rejects with `DRAINING` where it gets none before the process stops. */
  push(delivery: Delivery, onSettled: (how: Settled) => void, options?: PushOptions): Promise<void>;
  /** True where something of the route is still to be transformed. */
  hasUntransformed(route: string): boolean;
  /**
   * Goes on with this actor and these routes: attempts in flight end with the actor they began with. Without any route what is queued
   * still goes out; where the actor never existed it becomes dead letters.
   */
  change(to: Pick<ActorDelivererOptions, "actor" | "depth" | "policies">): void;
  /** Resolves when nothing is queued or in flight. */
  idle(): Promise<void>;
  readonly queued: number;
  readonly inFlight: number;
  readonly depth: number;
  /** Deliveries in the queue or in flight, by route; only where there are some. */
  unsettled(): Iterable<readonly [route: string, count: number]>;
  /** Keeps every route's breaker and rate for the next process. */
  keep(): void;
  circuit(route: string): Circuit;
  /** Starts nothing more; resolves when nothing is in flight. What waits stays unsettled. */
  close(): Promise<void>;
}

export function actorDeliverer(options: ActorDelivererOptions): ActorDeliverer {
  const { clock, bury, log, activity, abandon, id, alert, kept, starts } = options;
  const limited = rateLimitedLog(id, log, clock.now);
  const queue = new ActorQueue({ ...options, onLimited: limited });
  const taken = new Map<Delivery, TakenDelivery>();
  const { missing: onMissing } = activity;
  const { mask } = options;
  const ports = { host: "process", abandonment: abandonment(abandon), onMissing, clock, log, mask };
  const report = deliveryReport({ log, activity, alert, now: clock.now });
  const ended = Promise.withResolvers<void>();
  let waitingForIdle: (() => void)[] = [];
  let { actor, policies } = options;
  const places = waitingPlaces();
  const asked = askedWaits(starts);
  const slots = (options.slots ?? processSlots()).join();
  let cancelWake = (): void => {};
  let working = 0;
  let burying = 0;
  let closed = false;

  function pump(): void {
    cancelWake();
    if (!closed) transformNext();
    while (!closed && (actor !== null || policies.size === 0)) {
      if (!slots.isFree(pump)) break;
      const next = queue.next(clock.now());
      if (next.kind === "wait") {
        if (next.atMs !== null) cancelWake = callAt(clock, next.atMs, pump);
        break;
      }
      if (next.kind === "expired") void work(() => giveUp(next.delivery, "expired", next.state));
      else void work(() => within(slots, () => attempt(next)));
    }
    if (closed) places.wakeAll();
    else places.wakeOne();
    if (queue.queued + queue.inFlight + working > 0) return;
    for (const resolve of waitingForIdle) resolve();
    waitingForIdle = [];
  }

  /** Counts what `close` waits for. */
  async function work(task: () => Promise<void>): Promise<void> {
    working += 1;
    await task();
    working -= 1;
    if (closed && working === 0) ended.resolve();
    pump();
  }

  function transformNext(): void {
    const { untransformed } = queue;
    for (let item = untransformed.next(); item !== undefined; item = untransformed.next()) {
      void work(() => transformQueued(item, queue, taken));
    }
  }

  function keep(route: string): void {
    // What is left of a route that has gone is nothing for a restart.
    if (policies.has(route)) kept.save(route, queue.breaker(route), queue.rate(route));
  }

  function settle(delivery: Delivery, how: Settled): void {
    taken.get(delivery)?.onSettled(how);
    taken.delete(delivery);
  }

  async function giveUp(delivery: Delivery, reason: DeadReason, state: AttemptState) {
    if (await bury(letterOf(delivery, reason, state, clock))) settle(delivery, "buried");
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

  async function attempt({ item, probe, policy }: Attempt): Promise<void> {
    const { delivery, state } = item;
    const { route } = delivery;
    if (isSlow(policy)) keep(route);
    // The queue has admitted it: the breaker is the one that let it.
    const admitted = { kind: "attempt", probe, breaker: queue.breaker(route) } as const;
    const about = taken.get(delivery);
    const returned = about?.returned === true;
    const key = deliveryKey(delivery);
    const verdict = await deliverOnce(
      {
        delivery,
        state,
        policy,
        deliveryId: about?.deliveryId ?? delivery.event.id,
        timeoutMs: policy.timeoutMs,
        deaths: returned ? starts.deaths(key) : 0,
      },
      {
        ...ports,
        admit: () => admitted,
        actor: () => actor,
        begin: returned ? () => begin(key) : undefined,
        changeBreaker: (change) => changeBreaker(route, change),
        onBreaker: (change) => report.circuit(delivery, change),
        onError: (error) => report.gone(delivery, error),
        onAttempted: (outcome, ms) => report.attempted(delivery, outcome, ms),
      },
    );
    await conclude(item, verdict, returned);
    if (returned) starts.end(key);
  }

  /** A disk that takes no note of it must not keep it from being delivered. */
  function begin(key: string): Promise<void> {
    return starts.begin(key, abandon).catch(() => undefined);
  }

  function changeBreaker(
    route: string,
    change: (before: BreakerState) => BreakerState,
  ): BreakerChange {
    const before = queue.breaker(route);
    const after = change(before);
    if (after === before || abandon.aborted) return { before, after: before };
    queue.keepBreaker(route, after);
    if (before.openUntilMs !== after.openUntilMs) keep(route);
    return { before, after };
  }

  async function conclude(item: QueuedDelivery, verdict: Verdict, returned: boolean) {
    const { delivery, state } = item;
    // Abandoned, not failed: it is on the bus and comes again after the restart.
    if (verdict.kind === "abandoned") return;
    if (verdict.kind === "no actor") return neverCame(item);
    if (verdict.kind === "not admitted") throw new Error("the queue had admitted it");
    asked.keep(delivery, state, verdict, returned);
    if (verdict.kind === "dead") await giveUp(delivery, verdict.reason, verdict.state);
    else if (verdict.kind === "delivered") settle(delivery, "delivered");
    queue.finish(item, verdict);
  }

  async function neverCame(item: QueuedDelivery): Promise<void> {
    const { delivery } = item;
    const state = neverCameState(item.state, delivery.route, id);
    await giveUp(delivery, "permanent", state);
    queue.finish(item, { kind: "dead", reason: "permanent", state });
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
    hasUntransformed: (route) => queue.hasUntransformed(route),
    unsettled: () => queue.sizes(),
    change(to) {
      ({ actor, policies } = to);
      queue.change(to, clock.now());
      pump();
    },
    idle() {
      const { promise, resolve } = Promise.withResolvers<void>();
      waitingForIdle.push(resolve);
      pump();
      return promise;
    },
    async push(delivery, onSettled, options = {}) {
      const { waits = false, returned = false, matched = policies, transform } = options;
      const policy = matched.get(delivery.route);
      const deadlineMs = policy && expiryDeadline(delivery, policy, clock);
      const notBeforeMs = returned ? asked.until(delivery, policy) : undefined;
      taken.set(delivery, {
        onSettled,
        returned,
        transform,
        deliveryId: deliveryId(delivery, matched.size > 1),
      });
      for (;;) {
        if (closed) {
          taken.delete(delivery);
          throw new OrgLoopError("DRAINING", "the process is stopping: nothing more is taken on");
        }
        const mayOffer = !waits || queue.hasRoom(delivery.route);
        const offer: Offer = mayOffer
          ? queue.offer(delivery, undefined, { matched: policy, deadlineMs, notBeforeMs })
          : { kind: "full" };
        if (offer.kind === "queued") return pump();
        if (offer.kind === "dropped") {
          report.dropped(offer.victim, offer.state.attempts, queue.depth);
          pump();
          return buryAside(offer.victim, offer.state);
        }
        await places.wait(delivery.route);
      }
    },
    close() {
      closed = true;
      slots.leave();
      pump();
      if (working === 0) ended.resolve();
      return ended.promise;
    },
  };
}

/** Displaced deliveries whose dead letters are being written at once: they share syncs. */
const MAX_BURYING = 1_000;
