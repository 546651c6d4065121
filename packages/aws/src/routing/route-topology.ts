import { MAX_TRANSFORM_MS, transformTimes } from "@orgloop/config/serverless-limits";
import { bindRoute, type Clock, type Router } from "@orgloop/engine";
import {
  OrgLoopError,
  type Prompt,
  type RouteSpec,
  type Topology,
  type Transform,
  type TransformSpec,
} from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { Secrets } from "../functions/secrets.ts";
import type { RepeatRulesOptions } from "../intake/admit-publication.ts";
import { resolvedRepeats } from "../intake/resolved-repeats.ts";
import { resolvedRoutes } from "./resolved-routes.ts";
import type { RouteBatchOptions } from "./route-batch.ts";

export interface RouteTopologyOptions extends Omit<RepeatRulesOptions, "topology"> {
  readonly topology: Topology;
  readonly openTransform: (spec: TransformSpec) => Promise<Transform>;
  readonly secrets: Secrets;
  readonly clock: Clock;
  readonly flow: FlowLog;
}

/**
 * A Topology as the router needs it: compiled once, its transforms opened when there is something
 * to route.
 */
export async function routeTopology({
  topology,
  openTransform,
  secrets,
  clock,
  flow,
  windows,
  lives,
}: RouteTopologyOptions): Promise<
  Pick<RouteBatchOptions, "routerFor" | "routes" | "routesTo" | "repeats">
> {
  const { routes, transforms } = topology;
  const resolved = resolvedRoutes(topology, secrets);
  const specs = new Map(transforms.map((transform) => [transform.name, transform]));
  const specsOf = new Map(routes.map((route) => [route.name, inTime(route, specs)]));
  return {
    repeats: await resolvedRepeats({ topology, windows, lives }, { secrets, flow }),
    routes: new Map(routes.map((route) => [route.name, route])),
    routesTo: countBy(routes.map(({ then }) => then.actor)),
    async routerFor(abandon): Promise<Router> {
      const { opened, broken } = await openAll(transforms, openTransform);
      const binding = { transforms: opened, clock, abandon };
      return {
        ...(resolved.fixed ?? (await resolved.resolve())),
        transformsOf(route) {
          for (const { ref } of route.transforms) {
            const error = broken.get(ref);
            if (error !== undefined) throw error;
          }
          return bindRoute(route, { ...binding, specs: specsOf.get(route.name) ?? specs });
        },
        promptOf,
        now: clock.now,
        log: flow.log,
      };
    },
  };
}

/**
 * One that cannot be opened is a fault of the routes that use it. Rejects where that may pass: what
 * AWS refuses or does not answer is no fault of the route.
 */
async function openAll(
  transforms: readonly TransformSpec[],
  openTransform: RouteTopologyOptions["openTransform"],
) {
  const opened = new Map<string, { readonly part: Transform }>();
  const broken = new Map<string, OrgLoopError>();
  await Promise.all(
    transforms.map(async (spec) => {
      try {
        opened.set(spec.name, { part: await openTransform(spec) });
      } catch (cause) {
        if (!(cause instanceof OrgLoopError)) throw cause;
        const message = `transform "${spec.name}" could not be started: ${cause.message}`;
        broken.set(spec.name, new OrgLoopError(cause.code, message, { cause }));
      }
    }),
  );
  return { opened, broken };
}

/**
 * A route's transforms with the time that each has with one event: where all of them hang, their
 * times together are still within the router's. `validate` refuses what is over it; so a longer one
 * says nothing, and is the default.
 */
function inTime(
  { transforms }: Pick<RouteSpec, "transforms">,
  specs: ReadonlyMap<string, TransformSpec>,
): ReadonlyMap<string, TransformSpec> {
  const used = transforms.flatMap(({ ref }) => specs.get(ref) ?? []);
  const written = used.map(({ timeout_ms: ms }) => (ms > MAX_TRANSFORM_MS ? undefined : ms));
  const times = transformTimes(written) ?? transformTimes(used.map(() => undefined));
  return new Map(
    used.map((spec, at) => [spec.name, { ...spec, timeout_ms: times?.[at] ?? spec.timeout_ms }]),
  );
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
