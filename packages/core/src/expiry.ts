import type { Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

/**
 * When a delivery is older than its route's `max_age`, in ms since the epoch: from then on it is a dead letter, `expired`, without an
 * attempt. Never of a replay: somebody wants it now, however old it is.
 */
export function expiresAt(
  delivery: Pick<Delivery, "event" | "replay">,
  { maxAgeMs }: Pick<DeliveryPolicy, "maxAgeMs">,
): number {
  if (maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  return Date.parse(delivery.event.timestamp) + maxAgeMs;
}

/**
 * The same on a clock that nobody sets. The machine's may have been set on or back since the event was stamped: of the ages that both clocks
 * tell the lesser counts, and an event of the future has just happened, so that no step makes one too old.
 */
export function expiryDeadline(
  delivery: Pick<Delivery, "event" | "replay">,
  policy: Pick<DeliveryPolicy, "maxAgeMs">,
  { now, wall }: { readonly now: () => number; readonly wall: () => number },
): number {
  if (policy.maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  const nowMs = now();
  const leftMs = expiresAt(delivery, policy) - Math.min(wall(), nowMs);
  return nowMs + Math.min(leftMs, policy.maxAgeMs);
}

export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  return nowMs > expiresAt(delivery, policy);
}
