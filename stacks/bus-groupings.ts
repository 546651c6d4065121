import { type BusGrouping, busGrouping, routesBySource } from "@orgloop/aws/plan";
import type { SourceSpec, Topology } from "@orgloop/sdk";
import type { Stage } from "./stage.ts";

/** How the events of each source are grouped on the bus. */
export function busGroupings({
  sources,
  routes,
}: Pick<Topology, "sources" | "routes">): ReadonlyMap<string, BusGrouping> {
  const routesOf = routesBySource(routes);
  return new Map(
    sources.map((source) => [source.id, busGrouping(source, routesOf.get(source.id) ?? []).by]),
  );
}

/** Those of a function's sources that are grouped by their ordering keys. */
export const keyedOf = ({ groupings }: Stage, sources: readonly SourceSpec[]): readonly string[] =>
  sources.flatMap(({ id }) => (groupings.get(id) === "key" ? [id] : []));
