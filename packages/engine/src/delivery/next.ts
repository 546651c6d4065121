import type { AttemptState, Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import type { QueuedDelivery } from "./route-queue.ts";

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
