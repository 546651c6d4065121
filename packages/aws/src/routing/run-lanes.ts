import type { Deaths, EndedRoute, LanedRoute } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";

/**
 * Runs the slow transforms of an event to their end, its routes side by side. `deaths`: of one that
 * has come back, null of another; after a death they run one after the other, so that only the
 * route that kills the function is given up (the engine counts for each).
 */
export async function runLanes(
  { id }: Pick<OrgLoopEvent, "id">,
  routes: readonly (EndedRoute | LanedRoute)[],
  deaths: Deaths | null,
): Promise<readonly EndedRoute[]> {
  if (deaths === null || !routes.some(isLaned)) return sideBySide(routes);
  const key = `transforming ${id}`;
  const died = await deaths.begin(key);
  try {
    return died === 0 ? await sideBySide(routes) : await inTurn(routes);
  } finally {
    await deaths.end(key);
  }
}

function sideBySide(routes: readonly (EndedRoute | LanedRoute)[]): Promise<readonly EndedRoute[]> {
  return Promise.all(routes.map((routed) => (isLaned(routed) ? routed.run() : routed)));
}

async function inTurn(
  routes: readonly (EndedRoute | LanedRoute)[],
): Promise<readonly EndedRoute[]> {
  const ended: EndedRoute[] = [];
  for (const routed of routes) ended.push(isLaned(routed) ? await routed.run() : routed);
  return ended;
}

function isLaned(routed: EndedRoute | LanedRoute): routed is LanedRoute {
  return routed.kind === "in lane";
}
