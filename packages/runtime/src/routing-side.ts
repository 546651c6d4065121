import { type Environment, resolveReferences } from "@orgloop/config";
import { compileMatcher, type Delivery, type Router, routeEvent } from "@orgloop/core";
import { bindTransforms, openPlugin, systemClock, wantedTransform } from "@orgloop/host";
import {
  messageOf,
  type OrgLoopEvent,
  type PluginLookup,
  type RouteSpec,
  type Topology,
  type Transform,
} from "@orgloop/sdk";
import { memoryClaims } from "@orgloop/stores";

/** What a route makes of an event: a delivery, or the transform that ends it. */
export type RouteFate =
  | { readonly kind: "delivered"; readonly delivery: Delivery }
  | { readonly kind: "ended"; readonly transform: string };

export interface RoutingSideOptions {
  readonly projectDir: string;
  readonly env: Environment;
  readonly lookup: PluginLookup;
  /** Ms since the epoch, as transforms see it: the time of the event. */
  readonly now: () => number;
  readonly warn: (item: string, message: string) => void;
}

/** A topology, or some routes of it, that routes events and delivers nothing. */
export interface RoutingSide {
  /** By route; a route that does not match is not in it. */
  route(event: OrgLoopEvent): Promise<ReadonlyMap<string, RouteFate>>;
  /** Routes that cannot be run, and why: a transform that cannot be opened. */
  readonly failed: ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/**
 * Opens the transforms of `routes` with claims of their own, in memory: dedup has no effect on what runs. References are resolved
 * where they decide, in filters and transforms; a delivery's config keeps them, since it is shown.
 */
export async function openRoutingSide(
  topology: Topology,
  routes: readonly RouteSpec[],
  { env, ...options }: RoutingSideOptions,
): Promise<RoutingSide> {
  const used = new Set(routes.flatMap(({ transforms }) => transforms.map(({ ref }) => ref)));
  const specs = resolveReferences(
    topology.transforms.filter(({ name }) => used.has(name)),
    env,
  ).value;
  const claims = memoryClaims();
  const transforms = new Map<string, { readonly part: Transform }>();
  const broken = new Map<string, string>();
  for (const spec of specs) {
    try {
      const part = await openPlugin(wantedTransform(spec), { ...options, claims });
      transforms.set(spec.name, { part });
    } catch (error) {
      broken.set(spec.name, messageOf(error));
    }
  }
  const failed = new Map<string, string>();
  const runnable = routes.flatMap((route): RouteSpec[] => {
    const missing = route.transforms.find(({ ref }) => !transforms.has(ref));
    if (missing === undefined) {
      return [{ ...route, when: resolveReferences(route.when, env).value }];
    }
    const why = broken.get(missing.ref) ?? "there is no such transform";
    failed.set(route.name, `transform ${missing.ref}: ${why}`);
    return [];
  });
  const shown = { ...topology, routes: runnable, transforms: specs };
  const bound = bindTransforms(shown, transforms, systemClock, new AbortController().signal);
  const endedBy = new Map<string, string>();
  const router: Router = {
    matcher: compileMatcher(runnable),
    sources: new Map(topology.sources.map((source) => [source.id, source])),
    transformsOf: (route) => bound.get(route.name) ?? [],
    promptOf: (route) => route.with?.prompt,
    now: options.now,
    log({ route, transform }) {
      if (route !== undefined && transform !== undefined) endedBy.set(route, transform);
    },
  };
  return {
    failed,
    async route(event) {
      endedBy.clear();
      const { deliveries, ended } = await routeEvent(event, router);
      const fates = new Map<string, RouteFate>();
      for (const delivery of deliveries) fates.set(delivery.route, { kind: "delivered", delivery });
      for (const { route } of ended) {
        fates.set(route, { kind: "ended", transform: endedBy.get(route) ?? "" });
      }
      return fates;
    },
    async close() {
      await Promise.allSettled([...transforms.values()].map(({ part }) => part.close?.()));
    },
  };
}
