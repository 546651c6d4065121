import type { DeadLetter, RouteSpec } from "@orgloop/sdk";
import { isUnfitLetter } from "../dead-letters/dead-letter.ts";
import type { Delivery } from "../delivery/delivery.ts";
import { fillRoute } from "../routing/fill-route.ts";
import { orderingKey, type Router } from "../routing/route-event.ts";

/** What keeps a letter from being replayed, or null. */
export function replayRefusal(
  { id, route, actor }: Pick<DeadLetter, "id" | "route" | "actor">,
  now: {
    readonly route: (name: string) => RouteSpec | undefined;
    readonly hasActor: (id: string) => boolean;
  },
): string | null {
  if (isUnfitLetter({ id })) return null;
  if (route === null || actor === null) {
    return "it never got as far as a route: `orgloop replay --event` routes its event anew";
  }
  const spec = now.route(route);
  if (spec === undefined) return `the route "${route}" no longer exists`;
  if (!now.hasActor(actor)) return `the actor "${actor}" no longer exists`;
  if (spec.then.actor !== actor) {
    return `the route "${route}" now goes to "${spec.then.actor}", no longer to "${actor}"`;
  }
  return null;
}

/**
 * What the actor gets: the event as it would have got it then, config and prompt as the route has
 * them now (a letter holds neither: they may hold secrets, and may be what was mended).
 */
export function letterDelivery(
  letter: DeadLetter,
  spec: RouteSpec,
  ports: Pick<Router, "promptOf" | "sources">,
): Delivery {
  const replay = (letter.event.replay ?? 0) + 1;
  return deliveryOf({ ...letter, event: { ...letter.event, replay } }, spec, ports);
}

/**
 * The delivery that its actor's queue has refused: no replay of it, since no actor has heard of it.
 */
export const refusedDelivery = deliveryOf;

function deliveryOf(
  { event, ordering_key }: Pick<DeadLetter, "event" | "ordering_key">,
  spec: RouteSpec,
  { promptOf, sources }: Pick<Router, "promptOf" | "sources">,
): Delivery {
  const { config } = spec.then;
  const templates = { route: spec.name, config, prompt: promptOf(spec) };
  return {
    event,
    route: spec.name,
    actor: spec.then.actor,
    orderingKey: ordering_key ?? orderingKey(event, spec, sources.get(event.source)),
    ...fillRoute(templates, event),
    replay: event.replay ?? 0,
  };
}
