import type { Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

/**
 * True where the event is older than the route's `max_age`: it becomes a dead letter, `expired`, without an attempt. A replay never is:
 * somebody has asked for it now.
 */
export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  if (policy.maxAgeMs === null || delivery.replay > 0) return false;
  return nowMs - Date.parse(delivery.event.timestamp) > policy.maxAgeMs;
}
