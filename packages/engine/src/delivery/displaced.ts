import type { QueuedDelivery, RouteQueue } from "./route-queue.ts";

/**
 * The delivery that gives up its place to a new one of `route`: the oldest of the same route where
 * that has used up its share; else, of the routes that allow it, the oldest of the one with the
 * most waiting, so that a flood displaces itself (FQ-CoDel's rule: RFC 8290, section 4.1).
 */
export function displacedBy(
  route: RouteQueue,
  routes: Iterable<RouteQueue>,
): QueuedDelivery | undefined {
  if (route.full) return route.oldest();
  let victim: QueuedDelivery | undefined;
  for (const other of routes) {
    if (other.policy.overflow !== "drop_oldest") continue;
    const most = victim?.lane.route.queued ?? 1;
    if (other.queued < most) continue;
    const oldest = other.oldest();
    if (oldest === undefined) continue;
    const isNext = victim === undefined || other.queued > most || oldest.arrival < victim.arrival;
    if (isNext) victim = oldest;
  }
  return victim;
}
