import type { AttemptState, Delivery } from "./delivery.ts";

/** What became of a delivery that was offered to a queue. */
export type Offer =
  | { readonly kind: "queued" }
  /** It, or an older one in its favour, has no room: it becomes a dead letter, `backpressure`. */
  | { readonly kind: "dropped"; readonly victim: Delivery; readonly state: AttemptState }
  /** `overflow: block`: offer it again when a delivery has left. */
  | { readonly kind: "full" };
