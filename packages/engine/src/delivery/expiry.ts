import type { Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

/**
 * When a delivery is older than its route's `max_age`, in ms since the epoch: from then on it is a
 * dead letter, `expired`, without an attempt. Never of a replay: somebody wants it now, however old
 * it is.
 */
export function expiresAt(
  delivery: Pick<Delivery, "event" | "replay">,
  { maxAgeMs }: Pick<DeliveryPolicy, "maxAgeMs">,
): number {
  if (maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  return Date.parse(delivery.event.timestamp) + maxAgeMs;
}

/** A clock that nobody sets, and what is known of the machine's. */
export interface ExpiryClock {
  readonly now: () => number;
  readonly wall: () => number;
  /** How far the machine's was ahead, whenever it was set. */
  readonly offsets?: () => readonly number[];
}

/**
 * The same on a clock that nobody sets. Under which setting of the machine's clock an event was
 * stamped is not known: of the ages that they tell the least counts, and an event of the future has
 * just happened, so that no step makes one too old.
 */
export function expiryDeadline(
  delivery: Pick<Delivery, "event" | "replay">,
  policy: Pick<DeliveryPolicy, "maxAgeMs">,
  { now, wall, offsets }: ExpiryClock,
): number {
  if (policy.maxAgeMs === null || delivery.replay > 0) return Number.POSITIVE_INFINITY;
  const nowMs = now();
  const ages = [wall() - nowMs, ...(offsets?.() ?? [0])]
    .map((ms) => nowMs + ms - Date.parse(delivery.event.timestamp))
    .map((ms) => Math.max(0, ms));
  return nowMs + policy.maxAgeMs - Math.min(...ages);
}

export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  return nowMs > expiresAt(delivery, policy);
}
