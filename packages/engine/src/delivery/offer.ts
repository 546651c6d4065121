import type { AttemptState, Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

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
