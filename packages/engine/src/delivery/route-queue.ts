import type { RouteState } from "@orgloop/sdk";
import { admitDelivery, HEALTHY } from "./admit-delivery.ts";
import { CLOSED, closed } from "./breaker.ts";
import { Fifo } from "./collections.ts";
import type { AttemptState, Delivery, DeliveryPolicy } from "./delivery.ts";
import { clampRate } from "./rate-limit.ts";

/** A delivery in the queue, with what its attempts have left. */
export interface QueuedDelivery {
  /** Untransformed until its turn in its lane has come, and it was transformed. */
  delivery: Delivery;
  /**
   * As it was when the event was matched; of rate, breaker, bound and concurrency the route's own
   * counts.
   */
  readonly policy: DeliveryPolicy;
  state: AttemptState;
  readonly lane: Lane;
  /** Counts up in the order in which they came to the actor. */
  readonly arrival: number;
  inFlight: boolean;
  /** After that it is no longer attempted. */
  readonly expiresMs: number;
  /** It came with the order to wait until then; its own retries are its lane's matter. */
  readonly notBeforeMs: number;
  /** The breaker's, when its attempt began. */
  openings: number;
}

/**
 * Deliveries that keep their order: the first is attempted, the others wait for it; they are
 * transformed in order, too.
 */
export interface Lane {
  readonly key: string;
  readonly route: RouteQueue;
  readonly epoch: Epoch;
  readonly items: Fifo<QueuedDelivery>;
  /** Those of them that are still to be transformed, one after the other. */
  readonly untransformed: Fifo<QueuedDelivery>;
  /** One of them is being transformed. */
  transforming: boolean;
  /** A retry's time: the lane waits until then. */
  notBeforeMs: number | null;
}

/** Deliveries whose ordering keys were made alike: only the oldest epoch's are attempted. */
interface Epoch {
  readonly orderedBy: string;
  readonly lanes: Map<string, Lane>;
}

/** Whether the route may send now. */
export type RouteGate =
  | { readonly kind: "pass"; readonly probe: boolean }
  /** `atMs` null: until an attempt ends. `limited`: the rate makes it wait. */
  | { readonly kind: "wait"; readonly atMs: number | null; readonly limited: boolean };

/**
 * One route's share of its actor's queue: its lanes, its breaker, its rate. Holds state, decides by
 * the pure rules.
 */
export class RouteQueue {
  readonly name: string;
  policy: DeliveryPolicy;
  /** The configuration no longer has it: it ends when it is empty. */
  retired = false;
  state: RouteState;
  inFlight = 0;
  /** Deliveries that are still to be transformed. */
  untransformed = 0;
  /** When the queue is to look at this route again; null: no such time is noted. */
  wakeAtMs: number | null = null;
  /** All deliveries, oldest first, those in flight included. */
  readonly items = new Fifo<QueuedDelivery>();
  /** Lanes whose first delivery may be attempted, longest waiting first. */
  readonly ready = new Fifo<Lane>();
  /** Oldest first; none is empty. */
  #epochs: Epoch[] = [];
  #unordered = 0;

  /** `state`: as it was kept; its breaker counts where the route still has one. */
  constructor(name: string, policy: DeliveryPolicy, state = HEALTHY) {
    this.name = name;
    this.policy = policy;
    this.state = policy.breaker === null ? { ...state, breaker: CLOSED } : state;
  }

  /** Deliveries that wait. */
  get queued(): number {
    return this.items.size - this.inFlight;
  }

  /** True where the route's own share is used up. */
  get full(): boolean {
    return this.policy.queueDepth !== null && this.queued >= this.policy.queueDepth;
  }

  /**
   * Goes on under another policy; what waits for an attempt is held back by the new rate and
   * breaker.
   */
  change(policy: DeliveryPolicy, nowMs: number): void {
    this.policy = policy;
    this.retired = false;
    const { rate } = policy;
    const { breaker, rateMs } = this.state;
    this.state = {
      breaker: policy.breaker === null ? closed(breaker) : breaker,
      rateMs: rate === null || rateMs === null ? rateMs : clampRate(rateMs, rate, nowMs),
    };
  }

  /** That of its matching, with the route's rate and breaker. */
  policyOf({ policy }: QueuedDelivery): DeliveryPolicy {
    if (policy === this.policy) return policy;
    const { rate, breaker } = this.policy;
    return { ...policy, rate, breaker };
  }

  add(taken: Omit<QueuedDelivery, "lane" | "inFlight" | "openings">): QueuedDelivery {
    const { delivery, policy } = taken;
    const { orderedBy = policy.order } = policy;
    let epoch = this.#epochs.at(-1);
    if (epoch?.orderedBy !== orderedBy) {
      epoch = { orderedBy, lanes: new Map() };
      this.#epochs.push(epoch);
    }
    const key = this.#laneKey(delivery, policy);
    let lane = epoch.lanes.get(key);
    if (lane === undefined) {
      lane = {
        key,
        route: this,
        epoch,
        items: new Fifo(),
        untransformed: new Fifo(),
        transforming: false,
        notBeforeMs: null,
      };
      epoch.lanes.set(key, lane);
    }
    const item: QueuedDelivery = { ...taken, lane, inFlight: false, openings: 0 };
    lane.items.add(item);
    this.items.add(item);
    if (delivery.untransformed) {
      lane.untransformed.add(item);
      this.untransformed += 1;
    }
    if (lane.items.first === item) this.#ready(lane);
    return item;
  }

  /** The delivery is as its transforms have made it. */
  transformed(item: QueuedDelivery, delivery: Delivery): void {
    const { lane } = item;
    item.delivery = delivery;
    lane.untransformed.delete(item);
    this.untransformed -= 1;
    if (lane.items.first === item) this.#ready(lane);
  }

  /**
   * Its first delivery may be attempted, if it is the lane's turn and the delivery is all there.
   */
  #ready(lane: Lane): void {
    if (lane.items.first?.delivery.untransformed) this.ready.delete(lane);
    else if (lane.epoch === this.#epochs[0]) this.ready.add(lane);
  }

  /** Takes a delivery out for good; its lane goes on with the next. */
  remove(item: QueuedDelivery): void {
    const { lane } = item;
    const wasFirst = lane.items.first === item;
    lane.items.delete(item);
    if (item.delivery.untransformed) {
      lane.untransformed.delete(item);
      this.untransformed -= 1;
    }
    this.items.delete(item);
    if (lane.items.size === 0) this.#end(lane);
    else if (wasFirst) {
      lane.notBeforeMs = null;
      this.#ready(lane);
    }
  }

  #end(lane: Lane): void {
    const { epoch } = lane;
    epoch.lanes.delete(lane.key);
    this.ready.delete(lane);
    if (epoch.lanes.size > 0) return;
    const wasFirst = epoch === this.#epochs[0];
    this.#epochs = this.#epochs.filter((other) => other !== epoch);
    if (!wasFirst) return;
    for (const next of this.#epochs[0]?.lanes.values() ?? []) this.#ready(next);
  }

  /** The oldest delivery that is not in flight. */
  oldest(): QueuedDelivery | undefined {
    for (const item of this.items) if (!item.inFlight) return item;
    return undefined;
  }

  /**
   * Asks concurrency, then rate and breaker; a probe is elected by asking. A delivery that has to
   * wait takes no send time: the next that is asked for, when it has come, may be another.
   */
  pass(item: QueuedDelivery, nowMs: number): RouteGate {
    if (this.inFlight >= this.policy.concurrency)
      return { kind: "wait", atMs: null, limited: false };
    const admission = admitDelivery(this.state, this.policyOf(item), null, nowMs);
    if (admission.kind === "hold") {
      return { kind: "wait", atMs: admission.untilMs, limited: admission.by === "rate" };
    }
    this.state = admission.state;
    return { kind: "pass", probe: admission.probe };
  }

  #laneKey({ orderingKey }: Delivery, { order }: DeliveryPolicy): string {
    switch (order) {
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
