import {
  ActorQueue,
  abandonment,
  attemptDelivery,
  type Circuit,
  callActor,
  circuitOf,
  type Delivery,
  deliveryEntry,
  deliveryId,
  expiryDeadline,
  type Next,
  type Offer,
  type QueuedDelivery,
} from "@orgloop/engine";
import { type Actor, type AttemptState, type DeadReason, OrgLoopError } from "@orgloop/sdk";
import type { Held } from "../apply/held.ts";
import { callAt } from "../process/clock.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import { askedWaits } from "./asked-waits.ts";
import { processSlots, within } from "./attempt-slots.ts";
import { deliveryKey } from "./attempt-starts.ts";
import { letterOf, neverCameState, poisonState } from "./delivery-letter.ts";
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
  const call = { abandonment: abandonment(abandon), onMissing, clock, mask: options.mask };
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

  async function attempt(next: Attempt): Promise<void> {
    const { item, policy } = next;
    const { delivery } = item;
    if (actor === null) return neverCame(item);
    if (isSlow(policy)) keep(delivery.route);
    if (taken.get(delivery)?.returned !== true) return attemptOnce(next, actor);
    const key = deliveryKey(delivery);
    const deaths = starts.deaths(key);
    if (deaths >= policy.retry.maxAttempts) {
      const state = poisonState(item.state, deaths);
      await giveUp(delivery, "poison", state);
      starts.end(key);
      queue.finish(item, { kind: "dead", reason: "poison", state });
      return;
    }
    // A disk that takes no note of it must not keep it from being delivered.
    await starts.begin(key, abandon).catch(() => undefined);
    await attemptOnce(next, actor);
    starts.end(key);
  }

  async function neverCame(item: QueuedDelivery): Promise<void> {
    const { delivery } = item;
    const state = neverCameState(item.state, delivery.route, id);
    await giveUp(delivery, "permanent", state);
    queue.finish(item, { kind: "dead", reason: "permanent", state });
  }

  async function attemptOnce({ item, policy, probe }: Attempt, by: Held<Actor>): Promise<void> {
    const { delivery, state } = item;
    const about = deliveryEntry(delivery);
    const number = state.attempts + 1;
    if (probe) log({ ...about, phase: "circuit.half_open", attempt: number });
    log({ ...about, phase: "deliver.attempt", attempt: number });
    const startedMs = clock.now();
    const outcome = await attemptDelivery(delivery, state, {
      policy,
      probe,
      openings: item.openings,
      breaker: () => queue.breaker(delivery.route),
      keepBreaker(after, before) {
        if (abandon.aborted) return;
        queue.keepBreaker(delivery.route, after);
        if (before.openUntilMs !== after.openUntilMs) keep(delivery.route);
        report.circuit(delivery, number, before, after);
      },
      now: clock.now,
      random: clock.random,
      deliver: () =>
        by
          .use((part) =>
            callActor(delivery, number, {
              ...call,
              actor: part,
              deliveryId: taken.get(delivery)?.deliveryId ?? delivery.event.id,
              timeoutMs: policy.timeoutMs,
            }),
          )
          .catch((error) => {
            report.gone(delivery, error);
            throw error;
          }),
    });
    // Abandoned, not failed: it is on the bus and comes again after the restart.
    if (abandon.aborted && outcome.kind !== "delivered") return;
    report.attempted(delivery, outcome, number, clock.now() - startedMs);
    asked.keep(delivery, state, outcome, taken.get(delivery)?.returned);
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
