import {
  compileFilter,
  compileMatcher,
  type Delivery,
  type Matcher,
  routeEvent,
} from "@orgloop/core";
import { bindTransforms, openPlugin, systemClock, wantedTransform } from "@orgloop/host";
import {
  type Filter,
  type LogEntry,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type PluginLookup,
  type RouteSpec,
  type Topology,
  type Transform,
} from "@orgloop/sdk";
import { memoryClaims } from "@orgloop/stores";

export interface TrialOptions {
  /** References may be unresolved: what a trial does not run needs no variables. */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly lookup: PluginLookup;
}

/** What becomes of an event on a route that it matches. */
export type TriedRoute =
  | { readonly kind: "delivered"; readonly delivery: Delivery }
  | { readonly kind: "dropped"; readonly transform: string }
  | { readonly kind: "halted"; readonly transform: string; readonly error: string };

/** What becomes of an event. */
export interface TriedEvent {
  /** By the routes that match, in the order of the configuration. */
  readonly routes: ReadonlyMap<string, TriedRoute>;
  /** Transforms that failed and let the event through (`on_error: pass`). */
  readonly passed: readonly {
    readonly route: string;
    readonly transform: string;
    readonly error: string;
  }[];
}

/** Events that are routed one after the other, as by a process that has just started with empty stores. */
export interface Trial {
  /** `nowMs` is the time, in ms since the epoch. */
  route(event: OrgLoopEvent, nowMs: number): Promise<TriedEvent>;
  close(): Promise<void>;
}

/**
 * Routes events as the process would, with its transforms, and delivers nothing: no source, actor or logger is created, and nothing is
 * kept. The routes are compiled once for all trials. Throws `INVALID_FILTER`; a trial throws `PLUGINS_FAILED`.
 */
export function trialOf(options: TrialOptions): () => Trial {
  const matcher = compileMatcher(options.topology.routes);
  return () => beginTrial(options, matcher);
}

function beginTrial({ topology, projectDir, lookup }: TrialOptions, matcher: Matcher): Trial {
  const claims = memoryClaims();
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const opened = new Map<string, { readonly part: Transform }>();
  const abandon = new AbortController();
  let nowMs = 0;
  const now = () => nowMs;

  const open = async (refs: ReadonlySet<string>) => {
    for (const spec of topology.transforms) {
      if (!refs.has(spec.name) || opened.has(spec.name)) continue;
      const options = { projectDir, lookup, claims, now, warn: () => {} };
      try {
        opened.set(spec.name, { part: await openPlugin(wantedTransform(spec), options) });
      } catch (cause) {
        const message = `transform "${spec.name}" could not be started: ${messageOf(cause)}`;
        throw new OrgLoopError("PLUGINS_FAILED", message, { cause });
      }
    }
  };

  return {
    async route(event, atMs) {
      nowMs = atMs;
      const matched = matcher.match(event);
      const refs = new Set(matched.flatMap(({ transforms }) => transforms.map(({ ref }) => ref)));
      await open(refs);
      const clock = { ...systemClock, now };
      const bound = bindTransforms({ ...topology, routes: matched }, opened, clock, abandon.signal);
      const entries: Omit<LogEntry, "timestamp">[] = [];
      const { deliveries } = await routeEvent(event, {
        matcher: { match: () => matched },
        sources,
        transformsOf: ({ name }) => bound.get(name) ?? [],
        promptOf: () => undefined,
        now,
        log: (entry) => entries.push(entry),
      });
      return triedEvent(matched, deliveries, entries);
    },
    async close() {
      abandon.abort();
      await Promise.allSettled([...opened.values()].map(({ part }) => part.close?.()));
    },
  };
}

function triedEvent(
  matched: readonly RouteSpec[],
  deliveries: readonly Delivery[],
  entries: readonly Omit<LogEntry, "timestamp">[],
): TriedEvent {
  const routes = new Map<string, TriedRoute>();
  const passed: { route: string; transform: string; error: string }[] = [];
  for (const { name } of matched) {
    const delivery = deliveries.find(({ route }) => route === name);
    if (delivery !== undefined) routes.set(name, { kind: "delivered", delivery });
  }
  for (const { phase, route = "", transform = "", error = "" } of entries) {
    if (phase === "transform.error") passed.push({ route, transform, error });
    if (phase === "transform.drop") routes.set(route, { kind: "dropped", transform });
    if (phase === "transform.error_drop" || phase === "transform.error_halt") {
      routes.set(route, { kind: "halted", transform, error });
    }
  }
  return { routes, passed };
}

/** Whether `event` passes a filter, as a route's. Throws `INVALID_FILTER`. */
export const eventPasses = (filter: Filter, event: OrgLoopEvent): boolean =>
  compileFilter(filter)(event);
