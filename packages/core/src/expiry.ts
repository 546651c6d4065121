import type { Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

/**
 * True where the event is older than the route's `max_age`: it becomes a dead letter, `expired`, without an attempt. Never of a
 * replay: somebody wants it now, however old it is.
 */
export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  const { maxAgeMs } = policy;
  if (maxAgeMs === null || delivery.replay > 0) return false;
  return nowMs - Date.parse(delivery.event.timestamp) > maxAgeMs;
}
