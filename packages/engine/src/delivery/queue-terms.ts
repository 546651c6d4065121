import type { RouteState } from "@orgloop/sdk";
import type { AttemptState, Delivery, DeliveryPolicy } from "./delivery.ts";
import type { QueuedDelivery } from "./route-queue.ts";

export interface ActorQueueOptions {
  /** How many deliveries may wait (`actors[].queue_depth`, raised by a route's larger one). */
  readonly depth: number;
  /** By route; all routes to this actor. */
  readonly policies: ReadonlyMap<string, DeliveryPolicy>;
  /** As they were before a restart, by route. */
  readonly states?: ReadonlyMap<string, RouteState>;
  /** Told each time a route's rate makes its deliveries wait. */
  readonly onLimited?: (route: string, waiting: number) => void;
}

/** Under what a delivery is offered. Times on the clock that the queue is asked by. */
export interface OfferTerms {
  /**
   * The policy under which its event was matched; default: the route's. With it the route may be
   * one that has gone meanwhile.
   */
  readonly matched?: DeliveryPolicy | undefined;
  /** When it is too old; default: as its event's timestamp says. */
  readonly deadlineMs?: number | undefined;
  /** Until when its lane waits with it: its actor has asked for that before a restart. */
  readonly notBeforeMs?: number | undefined;
}

/** What became of a delivery that was offered to a queue. */
export type Offer =
  | { readonly kind: "queued" }
  /** It, or an older one in its favour, has no room: it becomes a dead letter, `backpressure`. */
  | { readonly kind: "dropped"; readonly victim: Delivery; readonly state: AttemptState }
  /** `overflow: block`: offer it again when a delivery has left. */
  | { readonly kind: "full" };

/** What the host does next. */
export type Next =
  /** Attempt it under `policy`, then say how it ended by `finish`. */
  | {
      readonly kind: "attempt";
      readonly item: QueuedDelivery;
      readonly probe: boolean;
      readonly policy: DeliveryPolicy;
    }
  /** It is too old: it has left the queue and becomes a dead letter, `expired`. */
  | { readonly kind: "expired"; readonly delivery: Delivery; readonly state: AttemptState }
  /** Ask again at `atMs`, and whenever something was offered or finished. */
  | { readonly kind: "wait"; readonly atMs: number | null };
