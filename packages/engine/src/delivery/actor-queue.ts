import type { BreakerState, RouteState } from "@orgloop/sdk";
import { Fifo, WakeList } from "./collections.ts";
import {
  type AttemptState,
  type Delivery,
  type DeliveryPolicy,
  expiresAt,
  NO_ATTEMPTS,
  type Outcome,
} from "./delivery.ts";
import { displacedBy } from "./displaced.ts";
import type { ActorQueueOptions, Next, Offer, OfferTerms } from "./queue-terms.ts";
import { type Lane, type QueuedDelivery, RouteQueue } from "./route-queue.ts";
import { Untransformed } from "./untransformed.ts";

/**
 * The deliveries that wait for one actor: bounded, in order by lane, fair among routes, held back
 * by rate and breaker. It holds state and decides; it attempts, gives up and times nothing. Every
 * operation costs O(log n) at most in what is queued.
 */
export class ActorQueue {
  readonly #routes = new Map<string, RouteQueue>();
  /** Routes that may have something to send, next one first. */
  readonly #rotation = new Fifo<RouteQueue>();
  readonly #wakes = new WakeList<Lane | RouteQueue>(isDue);
  readonly untransformed = new Untransformed();
  #depth: number;
  #concurrency = 1;
  readonly #onLimited: NonNullable<ActorQueueOptions["onLimited"]>;
  #queued = 0;
  #arrivals = 0;
  #inFlight = 0;

  constructor({ depth, policies, states, onLimited = () => {} }: ActorQueueOptions) {
    for (const [name, policy] of policies) {
      this.#routes.set(name, new RouteQueue(name, policy, states?.get(name)));
    }
    this.#onLimited = onLimited;
    this.#depth = this.#measure(depth);
  }

  /**
   * Goes on with these routes and that depth. What is queued stays, in its order and under the
   * policy that it came with; a route keeps its breaker and rate, under the new policy. A route
   * that is no longer there ends when its last delivery has left.
   */
  change({ depth, policies }: Pick<ActorQueueOptions, "depth" | "policies">, nowMs: number): void {
    for (const [name, route] of this.#routes) {
      if (policies.has(name)) continue;
      route.retired = true;
      this.#forget(route);
    }
    for (const [name, policy] of policies) {
      const route = this.#routes.get(name);
      if (route === undefined) this.#routes.set(name, new RouteQueue(name, policy));
      else {
        route.change(policy, nowMs);
        this.#rotation.add(route);
      }
    }
    this.#depth = this.#measure(depth);
  }

  /** Sets the concurrency, and gives the bound: each the most that a route has. */
  #measure(depth: number): number {
    const policies = [...this.#routes.values()].map((route) => route.policy);
    this.#concurrency = Math.max(1, ...policies.map(({ concurrency }) => concurrency));
    return Math.max(depth, ...policies.map(({ queueDepth }) => queueDepth ?? 0));
  }

  get queued(): number {
    return this.#queued;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get depth(): number {
    return this.#depth;
  }

  /** Deliveries that wait or are in flight, by route; only where there are some. */
  *sizes(): Generator<readonly [route: string, count: number]> {
    for (const { name, items } of this.#routes.values()) {
      if (items.size > 0) yield [name, items.size];
    }
  }

  state(route: string): RouteState {
    return this.#route(route).state;
  }

  /** True where a delivery of the route would displace none. */
  hasRoom(route: string): boolean {
    return this.#routes.get(route)?.full !== true && this.#queued < this.#depth;
  }

  /** Takes a delivery in, as the route's `overflow` says where there is no room. */
  offer(
    delivery: Delivery,
    state: AttemptState = NO_ATTEMPTS,
    { matched, deadlineMs, notBeforeMs = 0 }: OfferTerms = {},
  ): Offer {
    const route = this.#routeOf(delivery.route, matched);
    const policy = matched ?? route.policy;
    const expiresMs = deadlineMs ?? expiresAt(delivery, policy);
    if (this.hasRoom(delivery.route)) {
      this.#add(route, { delivery, state, policy, expiresMs, notBeforeMs });
      return { kind: "queued" };
    }
    if (route.policy.overflow === "block") return { kind: "full" };
    const victim =
      route.policy.overflow === "drop_oldest"
        ? displacedBy(route, this.#routes.values())
        : undefined;
    if (victim === undefined) {
      this.#forget(route);
      return { kind: "dropped", victim: delivery, state };
    }
    this.#add(route, { delivery, state, policy, expiresMs, notBeforeMs });
    this.#remove(victim);
    return { kind: "dropped", victim: victim.delivery, state: victim.state };
  }

  /** Goes on with what the transforms have made of a delivery; null: it leaves its place. */
  transformed(item: QueuedDelivery, delivery: Delivery | null): void {
    const { route } = item.lane;
    if (delivery === null) this.#remove(item);
    else {
      this.untransformed.delete(item);
      route.transformed(item, delivery);
      this.#rotation.add(route);
    }
  }

  /** True where the route waits for transforms: what comes behind must not overtake that. */
  hasUntransformed(route: string): boolean {
    return (this.#routes.get(route)?.untransformed ?? 0) > 0;
  }

  /** The next thing to do at `nowMs`; call it until it says wait. */
  next(nowMs: number): Next {
    for (const due of this.#wakes.due(nowMs)) this.#wake(due, nowMs);
    while (this.#inFlight < this.#concurrency) {
      const route = this.#rotation.first;
      if (route === undefined) break;
      this.#rotation.delete(route);
      const item = route.ready.first?.items.first;
      if (item === undefined) continue;
      if (nowMs > item.expiresMs) {
        this.#remove(item);
        return { kind: "expired", delivery: item.delivery, state: item.state };
      }
      if (item.notBeforeMs > nowMs) {
        this.#putOff(item.lane, item.notBeforeMs);
        continue;
      }
      const gate = route.pass(item, nowMs);
      if (gate.kind === "wait") {
        if (gate.limited) this.#onLimited(route.name, route.queued);
        if (gate.atMs !== null) this.#wakeRoute(route, gate.atMs);
        continue;
      }
      this.#start(route, item);
      return { kind: "attempt", item, probe: gate.probe, policy: route.policyOf(item) };
    }
    return { kind: "wait", atMs: this.#wakes.nextMs };
  }

  /** Keeps a route's breaker, as an attempt has left it. */
  keepBreaker(route: string, breaker: BreakerState): void {
    const queue = this.#route(route);
    queue.state = { ...queue.state, breaker };
    this.#rotation.add(queue);
  }

  /** Says how an attempt ended. */
  finish(item: QueuedDelivery, outcome: Outcome): void {
    const { lane } = item;
    const { route } = lane;
    item.inFlight = false;
    route.inFlight -= 1;
    this.#inFlight -= 1;
    this.#queued += 1;
    if (outcome.kind === "delivered" || outcome.kind === "dead") {
      this.#remove(item);
    } else {
      item.state = outcome.state;
      if (outcome.kind === "retry") {
        this.#wakeLane(lane, outcome.atMs);
      } else {
        route.ready.add(lane);
      }
    }
    this.#rotation.add(route);
  }

  #add(
    route: RouteQueue,
    taken: Omit<QueuedDelivery, "lane" | "arrival" | "inFlight" | "openings">,
  ): void {
    this.#arrivals += 1;
    const item = route.add({ ...taken, arrival: this.#arrivals });
    this.#queued += 1;
    this.#rotation.add(route);
    if (taken.delivery.untransformed) this.untransformed.add(item);
  }

  #remove(item: QueuedDelivery): void {
    const { route } = item.lane;
    route.remove(item);
    if (item.delivery.untransformed) this.untransformed.delete(item);
    this.#queued -= 1;
    // The next of its lane need no longer wait for it.
    this.#rotation.add(route);
    this.#forget(route);
  }

  #forget(route: RouteQueue): void {
    if (route.retired && route.items.size === 0) this.#routes.delete(route.name);
  }

  #start(route: RouteQueue, item: QueuedDelivery): void {
    item.inFlight = true;
    item.openings = route.state.breaker.openings;
    route.ready.delete(item.lane);
    route.inFlight += 1;
    this.#inFlight += 1;
    this.#queued -= 1;
    if (route.ready.size > 0) this.#rotation.add(route);
  }

  /** The lane waits with its first; the others of its route go on. */
  #putOff(lane: Lane, atMs: number): void {
    lane.route.ready.delete(lane);
    this.#wakeLane(lane, atMs);
    this.#rotation.add(lane.route);
  }

  #wakeLane(lane: Lane, atMs: number): void {
    lane.notBeforeMs = atMs;
    this.#wakes.add(atMs, lane);
  }

  #wakeRoute(route: RouteQueue, atMs: number): void {
    if (route.wakeAtMs !== null && route.wakeAtMs <= atMs) return;
    route.wakeAtMs = atMs;
    this.#wakes.add(atMs, route);
  }

  #wake(due: Lane | RouteQueue, nowMs: number): void {
    if (due instanceof RouteQueue) {
      due.wakeAtMs = null;
      this.#rotation.add(due);
      return;
    }
    if (due.notBeforeMs === null || due.notBeforeMs > nowMs || due.items.size === 0) return;
    due.notBeforeMs = null;
    due.route.ready.add(due);
    this.#rotation.add(due.route);
  }

  #routeOf(name: string, matched: DeliveryPolicy | undefined): RouteQueue {
    if (matched === undefined || this.#routes.has(name)) return this.#route(name);
    const route = new RouteQueue(name, matched);
    route.retired = true;
    this.#routes.set(name, route);
    return route;
  }

  #route(name: string): RouteQueue {
    const route = this.#routes.get(name);
    if (route === undefined) throw new Error(`no route "${name}" delivers to this actor`);
    return route;
  }
}

/** Whether what was noted for that time still waits for it. */
function isDue(what: Lane | RouteQueue, atMs: number): boolean {
  return what instanceof RouteQueue
    ? what.wakeAtMs === atMs
    : what.notBeforeMs === atMs && what.items.size > 0;
}
