import type { Delivery } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

/** True where the event is older than the route's `max_age`: it becomes a dead letter, `expired`, without an attempt. */
export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  return policy.maxAgeMs !== null && nowMs - Date.parse(delivery.event.timestamp) > policy.maxAgeMs;
}
