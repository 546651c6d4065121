import {
  type EndedRoute,
  type LanedRoute,
  type RoutedEvent,
  type Router,
  routeEvent,
} from "@orgloop/engine";
import { messageOf, OrgLoopError, type OrgLoopEvent } from "@orgloop/sdk";
import type { AttemptStore } from "../state/attempts.ts";

export interface RouteToEndOptions {
  /** The message has come back: the function may have died of it. */
  readonly returned: boolean;
  readonly attempts: Pick<AttemptStore, "start" | "forget">;
}

/** An event whose routing the function did not survive so often, after it came back, is given up. */
const MAX_DEATHS = 3;

async function route(event: OrgLoopEvent, router: Router): Promise<RoutedEvent> {
  try {
    return await routeEvent(event, router);
  } catch (cause) {
    throw new OrgLoopError("UNROUTABLE", messageOf(cause), { cause });
  }
}

/**
 * Routes an event to its end, its routes side by side. Of one that has come back the deaths of the function are counted: starts that no
 * end has taken back. After a death its slow transforms run one after the other, so that only the route that kills is given up. Throws
 * `UNROUTABLE` where it is the routing itself.
 */
export async function routeToEnd(
  event: OrgLoopEvent,
  router: Router,
  { returned, attempts }: RouteToEndOptions,
): Promise<readonly EndedRoute[]> {
  if (!returned) return sideBySide((await route(event, router)).routes);
  const routing = `routing ${event.id}`;
  const { routes } = await counted(routing, attempts, (deaths) => {
    if (deaths < MAX_DEATHS) return route(event, router);
    throw new OrgLoopError("UNROUTABLE", `the function ended ${deaths} times meanwhile`);
  });
  if (!routes.some(isLaned)) return sideBySide(routes);
  return counted(`transforming ${event.id}`, attempts, async (deaths) => {
    if (deaths === 0) return sideBySide(routes);
    const ended: EndedRoute[] = [];
    for (const routed of routes) {
      ended.push(isLaned(routed) ? await survived(routed, event, attempts) : routed);
    }
    return ended;
  });
}

function sideBySide(routes: RoutedEvent["routes"]): Promise<readonly EndedRoute[]> {
  return Promise.all(routes.map((routed) => (isLaned(routed) ? routed.run() : routed)));
}

function survived(
  { delivery, run }: LanedRoute,
  event: OrgLoopEvent,
  attempts: RouteToEndOptions["attempts"],
): Promise<EndedRoute> {
  return counted(`transforming ${event.id} ${delivery.route}`, attempts, async (deaths) => {
    if (deaths < MAX_DEATHS) return run();
    const error = `the function ended ${deaths} times during its transforms`;
    return { kind: "fault", delivery, error, reason: "poison" };
  });
}

async function counted<Result>(
  key: string,
  attempts: RouteToEndOptions["attempts"],
  run: (deaths: number) => Promise<Result>,
): Promise<Result> {
  const starts = await attempts.start(key);
  try {
    return await run(starts - 1);
  } finally {
    await attempts.forget(key);
  }
}

function isLaned(routed: EndedRoute | LanedRoute): routed is LanedRoute {
  return routed.kind === "in lane";
}
