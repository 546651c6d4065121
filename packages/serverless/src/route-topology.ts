import { compileMatcher, type Router } from "@orgloop/core";
import { bindRoute, type Clock } from "@orgloop/host";
import type { Prompt, RouteSpec, Topology, Transform, TransformSpec } from "@orgloop/sdk";
import type { FlowLog } from "./flow-log.ts";
import type { RouteBatchOptions } from "./route-batch.ts";
import type { Secrets } from "./secrets.ts";

export interface RouteTopologyOptions {
  readonly topology: Topology;
  readonly openTransform: (spec: TransformSpec) => Promise<Transform>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly flow: FlowLog;
}

/** A Topology as the router needs it: compiled once, its transforms opened when there is something to route. */
export async function routeTopology({
  topology,
  openTransform,
  secrets,
  clock,
  flow,
}: RouteTopologyOptions): Promise<Pick<RouteBatchOptions, "routerFor" | "routes" | "routesTo">> {
  const { routes, transforms } = topology;
  const conditions = routes.map(({ when }) => when);
  const resolved = await secrets.resolve("the routes' filters", conditions);
  const matcher = compileMatcher(
    routes.map((route, at) => ({ ...route, when: resolved[at] ?? route.when })),
  );
  const specs = new Map(transforms.map((transform) => [transform.name, transform]));
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  return {
    routes: new Map(routes.map((route) => [route.name, route])),
    routesTo: countBy(routes.map(({ then }) => then.actor)),
    async routerFor(abandon): Promise<Router> {
      const opened = await Promise.all(
        transforms.map(async (spec) => [spec.name, { part: await openTransform(spec) }] as const),
      );
      const binding = { specs, transforms: new Map(opened), clock, abandon };
      return {
        matcher,
        sources,
        transformsOf: (route) => bindRoute(route, binding),
        promptOf,
        now: clock.now,
        log: flow.log,
      };
    },
  };
}

/** A function has no project's folder: the file is what the configuration calls it. */
function promptOf({ with: prompt }: RouteSpec): Prompt | undefined {
  return prompt?.prompt;
}

function countBy(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}
