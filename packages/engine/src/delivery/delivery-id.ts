import { createHash } from "node:crypto";
import type { Delivery } from "./delivery.ts";

/**
 * By which a receiver may drop what it has seen (`DeliveryContext.deliveryId`): the event's id,
 * with a hash of the route where the actor has several (each is meant to be acted on), and with the
 * number of the replay (it is meant to be done again).
 */
export function deliveryId({ event, route, replay }: Delivery, severalRoutes: boolean): string {
  const ofRoute = severalRoutes ? `.${hash(route)}` : "";
  return `${event.id}${ofRoute}${replay > 0 ? `.r${replay}` : ""}`;
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}
