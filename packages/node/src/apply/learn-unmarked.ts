import { type KnownSecrets, unmarkedSecrets } from "@orgloop/engine";
import type { RouteSpec } from "@orgloop/sdk";
import type { PreparedTopology } from "./prepare-topology.ts";

/**
 * The secrets of what no plug-in is opened with, and no schema tells of: the bus and the routes.
 */
export function learnUnmarked(
  { topology, resolved }: Pick<PreparedTopology, "topology" | "resolved">,
  known: Pick<KnownSecrets, "learn">,
): void {
  known.learn("bus", unmarkedSecrets(topology.bus, resolved.bus));
  for (const [at, route] of resolved.routes.entries()) {
    const written = topology.routes[at];
    if (written === undefined) continue;
    known.learn(`route "${route.name}"`, unmarkedSecrets(partOf(written), partOf(route)));
  }
}

const partOf = ({ when, then }: RouteSpec) => ({ filter: when.filter, config: then.config });
