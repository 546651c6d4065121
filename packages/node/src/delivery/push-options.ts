import type { Delivery, DeliveryPolicy } from "@orgloop/engine";

/**
 * How a delivery has ended: the actor has it, a durable dead letter, or a transform dropped or
 * halted it.
 */
export type Settled = "delivered" | "buried" | "drop" | "halt";

/**
 * What has come of a delivery's transforms: the delivery, or how it ends otherwise. `end` never
 * rejects.
 */
export type Transformed =
  | { readonly kind: "delivery"; readonly delivery: Delivery }
  | { readonly kind: "ended"; readonly end: () => void | Promise<void> };

/** How a delivery is to be taken. */
export interface PushOptions {
  /** It waits for its place whatever the route's `overflow` says, and displaces nothing. */
  readonly waits?: boolean;
  /** It was handed over before, and may be what ended the process then. */
  readonly returned?: boolean;
  /** The actor's policies when the event was matched; default: those of now. */
  readonly matched?: ReadonlyMap<string, DeliveryPolicy> | undefined;
  /**
   * Of an untransformed one: what is still to be done to it, when its turn in its lane has come.
   * Never rejects; null: the process stops, and the event comes again.
   */
  readonly transform?: () => Promise<Transformed | null>;
}
