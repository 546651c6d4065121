import { isDeepStrictEqual } from "node:util";
import type { Environment } from "@orgloop/config";
import { resolveReferences } from "@orgloop/engine";
import type { OrgLoopEvent, RouteSpec, Topology } from "@orgloop/sdk";
import {
  ROUTING_CHANGES,
  type RoutingChange,
  type RoutingDifference,
  routingDifference,
} from "./routing-difference.ts";
import { type Trial, type TrialOptions, trialOf } from "./trial.ts";

export interface CompareRoutingOptions extends Omit<TrialOptions, "topology"> {
  /** References unresolved; null: nothing was routed before. */
  readonly before: Topology | null;
  readonly after: Topology;
  readonly env: Environment;
  /** Oldest first; `atMs` is when it was routed, which is what transforms see as now. */
  readonly events: AsyncIterable<{ readonly event: OrgLoopEvent; readonly atMs: number }>;
  /** Told of the events compared so far, now and then. */
  readonly onProgress?: (events: number) => void;
}

/** What becomes of recorded events under another configuration. */
export interface RoutingComparison {
  readonly events: number;
  /** Events whose fate differs on one route at least. */
  readonly changed: number;
  /** Only those that differ, by name. */
  readonly routes: readonly RouteComparison[];
  /**
   * Routes on which events could not be compared, since a transform of theirs cannot be started,
   * and why.
   */
  readonly not_compared: readonly { readonly route: string; readonly reason: string }[];
}

export interface RouteComparison {
  readonly route: string;
  /** Events, by how their fate differs. */
  readonly counts: Readonly<Record<RoutingChange, number>>;
  /** The first ones. */
  readonly examples: readonly (RoutingDifference & { readonly event_id: string })[];
}

interface Tally {
  readonly counts: Record<RoutingChange, number>;
  readonly examples: (RoutingDifference & { readonly event_id: string })[];
}

const EXAMPLES = 3;
const PROGRESS_EVERY = 500;

/**
 * Routes each event under both configurations, transforms and all, and tells what differs. Only
 * routes that are not the same on both sides are run: the others cannot differ. Memory holds counts
 * and examples, not events. Scripts are run as they are now, on both sides.
 */
export async function compareRouting(options: CompareRoutingOptions): Promise<RoutingComparison> {
  const { before, after, events, onProgress } = options;
  const [left, right] = differingRoutes(before, after);
  const old = trialOfRoutes(left, before ?? after, options);
  const fresh = trialOfRoutes(right, after, options);
  const failed = new Map<string, string>();
  const tallies = new Map<string, Tally>();
  let count = 0;
  let changed = 0;
  try {
    for await (const { event, atMs } of events) {
      count += 1;
      const [was, is] = await Promise.all([old.route(event, atMs), fresh.route(event, atMs)]);
      for (const [route, reason] of [...was.failed, ...is.failed]) failed.set(route, reason);
      let differs = false;
      for (const route of new Set([...was.routes.keys(), ...is.routes.keys()])) {
        if (failed.has(route)) continue;
        const difference = routingDifference(was.routes.get(route), is.routes.get(route));
        if (difference === null) continue;
        differs = true;
        add(tallies, route, { event_id: event.id, ...difference });
      }
      if (differs) changed += 1;
      if (count % PROGRESS_EVERY === 0) onProgress?.(count);
    }
  } finally {
    await Promise.all([old.close(), fresh.close()]);
  }
  return {
    events: count,
    changed,
    routes: [...tallies]
      .map(([route, { counts, examples }]) => ({ route, counts, examples }))
      .sort((one, other) => (one.route < other.route ? -1 : 1)),
    not_compared: [...failed].map(([route, reason]) => ({ route, reason })),
  };
}

/**
 * References are resolved where they decide, in filters and transforms; a delivery's config keeps
 * them, since it is shown.
 */
function trialOfRoutes(
  routes: readonly RouteSpec[],
  topology: Topology,
  { env, ...options }: CompareRoutingOptions,
): Trial {
  const resolved = {
    ...topology,
    routes: routes.map((route) => ({ ...route, when: resolveReferences(route.when, env).value })),
    transforms: resolveReferences(topology.transforms, env).value,
  };
  return trialOf({ ...options, topology: resolved, written: topology.transforms })();
}

/**
 * The routes of each side that are not the same on the other, in the order of their configuration.
 */
function differingRoutes(
  before: Topology | null,
  after: Topology,
): [readonly RouteSpec[], readonly RouteSpec[]] {
  if (before === null) return [[], after.routes];
  const [was, is] = [partsOf(before), partsOf(after)];
  const differ = ({ name }: RouteSpec) => !isDeepStrictEqual(was(name), is(name));
  return [before.routes.filter(differ), after.routes.filter(differ)];
}

/**
 * Everything that decides what a route makes of an event; its delivery policy only as far as it
 * orders.
 */
function partsOf({ routes, transforms, sources }: Topology): (name: string) => unknown {
  const byName = new Map(routes.map((route) => [route.name, route]));
  const specs = new Map(transforms.map((spec) => [spec.name, spec]));
  const keys = new Map(sources.map(({ id, key }) => [id, key]));
  return (name) => {
    const route = byName.get(name);
    if (route === undefined) return undefined;
    const { when, then, transforms: uses, with: prompt, delivery } = route;
    return {
      when,
      then,
      uses,
      prompt: prompt && { text: prompt.prompt.text, meta: prompt.prompt.meta },
      key: delivery.key,
      transforms: uses.map(({ ref }) => specs.get(ref)),
      keys: when.source.map((id) => keys.get(id)),
    };
  };
}

function add(
  tallies: Map<string, Tally>,
  route: string,
  example: RoutingDifference & { readonly event_id: string },
): void {
  let tally = tallies.get(route);
  if (tally === undefined) {
    const counts = Object.fromEntries(ROUTING_CHANGES.map((change) => [change, 0]));
    tally = { counts: counts as Record<RoutingChange, number>, examples: [] };
    tallies.set(route, tally);
  }
  tally.counts[example.change] += 1;
  if (tally.examples.length < EXAMPLES) tally.examples.push(example);
}
