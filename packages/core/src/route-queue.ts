import { type BreakerState, CLOSED, passBreaker } from "./breaker.ts";
import type { AttemptState, Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import { Fifo } from "./fifo.ts";
import { type RateState, reserve, UNUSED_RATE } from "./rate-limit.ts";

/** A delivery in the queue, with what its attempts have left. */
export interface QueuedDelivery {
  readonly delivery: Delivery;
  state: AttemptState;
  readonly lane: Lane;
  /** Counts up in the order in which they came to the actor. */
  readonly arrival: number;
  inFlight: boolean;
}

/** Deliveries that keep their order: the first is attempted, the others wait for it. */
export interface Lane {
  readonly key: string;
  readonly route: RouteQueue;
  readonly items: Fifo<QueuedDelivery>;
  /** A retry's time: the lane waits until then. */
  notBeforeMs: number | null;
}

/** Whether the route may send now. */
export type RouteGate =
  | { readonly kind: "pass"; readonly probe: boolean }
  /** `atMs` null: until an attempt ends. `limited`: the rate makes it wait. */
  | { readonly kind: "wait"; readonly atMs: number | null; readonly limited: boolean };

/** A probe is given up on this long after its timeout: time for the host to say how it ended. */
const PROBE_GRACE_MS = 5_000;

/** One route's share of its actor's queue: its lanes, its breaker, its rate. Holds state, decides by the pure rules. */
export class RouteQueue {
  readonly name: string;
  readonly policy: DeliveryPolicy;
  breaker: BreakerState;
  rate: RateState;
  inFlight = 0;
  /** When the queue is to look at this route again; null: no such time is noted. */
  wakeAtMs: number | null = null;
  /** All deliveries, oldest first, those in flight included. */
  readonly items = new Fifo<QueuedDelivery>();
  /** Lanes whose first delivery may be attempted, longest waiting first. */
  readonly ready = new Fifo<Lane>();
  readonly #lanes = new Map<string, Lane>();
  #unordered = 0;

  /** `breaker`: as it was stored, for a route that still has one. */
  constructor(
    name: string,
    policy: DeliveryPolicy,
    breaker: BreakerState = CLOSED,
    rate: RateState = UNUSED_RATE,
  ) {
    this.name = name;
    this.policy = policy;
    this.breaker = policy.breaker === null ? CLOSED : breaker;
    this.rate = rate;
  }

  /** Deliveries that wait. */
  get queued(): number {
    return this.items.size - this.inFlight;
  }

  /** True where the route's own share is used up. */
  get full(): boolean {
    return this.policy.queueDepth !== null && this.queued >= this.policy.queueDepth;
  }

  add(delivery: Delivery, state: AttemptState, arrival: number): void {
    const key = this.#laneKey(delivery);
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { key, route: this, items: new Fifo(), notBeforeMs: null };
      this.#lanes.set(key, lane);
      this.ready.add(lane);
    }
    const item: QueuedDelivery = { delivery, state, lane, arrival, inFlight: false };
    lane.items.add(item);
    this.items.add(item);
  }

  /** Takes a delivery out for good; its lane goes on with the next. */
  remove(item: QueuedDelivery): void {
    const { lane } = item;
    const wasFirst = lane.items.first === item;
    lane.items.delete(item);
    this.items.delete(item);
    if (lane.items.size === 0) {
      this.#lanes.delete(lane.key);
      this.ready.delete(lane);
    } else if (wasFirst) {
      lane.notBeforeMs = null;
      this.ready.add(lane);
    }
  }

  /** The oldest delivery that is not in flight. */
  oldest(): QueuedDelivery | undefined {
    for (const item of this.items) if (!item.inFlight) return item;
    return undefined;
  }

  /** Asks concurrency, then rate, then breaker; a probe is elected by asking. */
  pass(nowMs: number): RouteGate {
    if (this.inFlight >= this.policy.concurrency)
      return { kind: "wait", atMs: null, limited: false };
    const { rate } = this.policy;
    const slot = rate === null ? null : reserve(this.rate, rate, nowMs);
    if (slot !== null && slot.atMs > nowMs) return { kind: "wait", atMs: slot.atMs, limited: true };
    const gate = passBreaker(this.breaker, nowMs, this.policy.timeoutMs + PROBE_GRACE_MS);
    if (gate.kind === "hold") return { kind: "wait", atMs: gate.untilMs, limited: false };
    if (gate.kind === "probe") this.breaker = gate.state;
    if (slot !== null) this.rate = slot.state;
    return { kind: "pass", probe: gate.kind === "probe" };
  }

  #laneKey({ orderingKey }: Delivery): string {
    switch (this.policy.order) {
      case "key":
        return orderingKey;
      case "route":
        return "";
      case "none":
        this.#unordered += 1;
        return String(this.#unordered);
    }
  }
}
