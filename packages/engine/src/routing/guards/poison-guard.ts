import { messageOf, type OrgLoopEvent } from "@orgloop/sdk";
import { type Deaths, MAX_DEATHS, routingKey, transformsKey } from "../../ports/deaths.ts";
import { type Router, routeEvent } from "../route-event.ts";
import type { EndedRoute, LanedRoute, RoutedEvent } from "../routed-route.ts";

/** The event's routes, or why it goes none: routing has failed, or kills the host. */
export type Survived =
  | { readonly routed: RoutedEvent; readonly failure?: undefined }
  | { readonly routed?: undefined; readonly failure: string };

/**
 * Routes an event that has come back: the host may have died of it. Deaths are counted at its
 * routing, and for each route at its slow transforms, so that what kills on one route ends the
 * others not.
 */
export async function surviveRouting(
  event: OrgLoopEvent,
  router: Router,
  settled: ReadonlySet<string>,
  deaths: Deaths,
): Promise<Survived> {
  const key = routingKey(event.id, event.replay ?? 0);
  const died = await deaths.begin(key);
  try {
    if (died >= MAX_DEATHS) {
      return { failure: `the ${deaths.host} ended ${died} times meanwhile` };
    }
    const routed = await routeEvent(event, router, settled).catch(messageOf);
    if (typeof routed === "string") return { failure: routed };
    const routes = routed.routes.map((route) =>
      route.kind === "in lane" ? surviving(route, deaths) : route,
    );
    return { routed: { ...routed, routes } };
  } finally {
    await deaths.end(key);
  }
}

function surviving({ delivery, run, ...rest }: LanedRoute, deaths: Deaths): LanedRoute {
  const { event, replay, route } = delivery;
  const key = transformsKey(event.id, replay, route);
  return {
    ...rest,
    delivery,
    async run(): Promise<EndedRoute> {
      const died = await deaths.begin(key);
      try {
        if (died < MAX_DEATHS) return await run();
        const error = `the ${deaths.host} ended ${died} times during its transforms`;
        return { kind: "fault", delivery, error, reason: "poison" };
      } finally {
        await deaths.end(key);
      }
    },
  };
}
