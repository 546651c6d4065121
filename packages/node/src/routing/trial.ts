import {
  bindRoute,
  compileFilter,
  compileMatcher,
  type Delivery,
  type EndedRoute,
  guardedNetwork,
  knownSecrets,
  type Matcher,
  openPlugin,
  routeEvent,
  systemClock,
  wantedTransform,
} from "@orgloop/engine";
import {
  type Filter,
  type LogEntry,
  messageOf,
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
  /** The transforms with their references, where `topology` has them resolved: what these stand for is masked. */
  readonly written?: Topology["transforms"];
  readonly projectDir: string;
  readonly lookup: PluginLookup;
  /** What transforms say to the operator; default: it is not told. */
  readonly warn?: (item: string, message: string) => void;
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
  /** Routes that match but cannot be run, and why: a transform that cannot be started. They are not in `routes`. */
  readonly failed: ReadonlyMap<string, string>;
  /** Transforms that failed and let the event through (`on_error: pass`). */
  readonly passed: readonly {
    readonly route: string;
    readonly transform: string;
    readonly error: string;
  }[];
}

/** Events that are routed one after the other, as by a process that has just started with empty stores. */
export interface Trial {
  /** `nowMs` is the time as transforms see it, in ms since the epoch. A transform is started with the first event that meets it. */
  route(event: OrgLoopEvent, nowMs: number): Promise<TriedEvent>;
  close(): Promise<void>;
}

/**
 * Routes events as the process would, with its transforms, and delivers nothing: no source, actor or logger is created, and nothing is
 * kept. The routes are compiled once for all trials. Throws `INVALID_FILTER`.
 */
export function trialOf(options: TrialOptions): () => Trial {
  const matcher = compileMatcher(options.topology.routes);
  return () => beginTrial(options, matcher);
}

function beginTrial(
  { topology, written = [], projectDir, lookup, warn = () => {} }: TrialOptions,
  matcher: Matcher,
): Trial {
  let nowMs = 0;
  const now = () => nowMs;
  const known = knownSecrets();
  const network = guardedNetwork(topology.network?.allow_private);
  const plugin = { projectDir, lookup, claims: memoryClaims(), now, warn, network, known };
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const specs = new Map(topology.transforms.map((spec) => [spec.name, spec]));
  const asWritten = new Map(written.map((spec) => [spec.name, spec]));
  const transforms = new Map<string, { readonly part: Transform }>();
  const broken = new Map<string, string>();
  const abandon = new AbortController();
  const clock = { ...systemClock, now, wall: now };
  const binding = { specs, transforms, clock, abandon: abandon.signal };

  /** Starts the route's transforms; the reason why one cannot be, or null. */
  const start = async (route: RouteSpec): Promise<string | null> => {
    for (const { ref } of route.transforms) {
      if (transforms.has(ref)) continue;
      const known = broken.get(ref);
      if (known !== undefined) return known;
      const spec = specs.get(ref);
      if (spec === undefined) return `there is no transform "${ref}"`;
      try {
        const { config: written } = wantedTransform(asWritten.get(ref) ?? spec);
        const wanted = { ...wantedTransform(spec), written };
        transforms.set(ref, { part: await openPlugin(wanted, plugin) });
      } catch (error) {
        const reason = `transform "${ref}" could not be started: ${messageOf(error)}`;
        broken.set(ref, reason);
        return reason;
      }
    }
    return null;
  };

  return {
    async route(event, atMs) {
      nowMs = atMs;
      const failed = new Map<string, string>();
      const runnable: RouteSpec[] = [];
      for (const route of matcher.match(event)) {
        const reason = await start(route);
        if (reason === null) runnable.push(route);
        else failed.set(route.name, reason);
      }
      const entries: Omit<LogEntry, "timestamp">[] = [];
      const { routes } = await routeEvent(event, {
        matcher: { match: () => runnable },
        sources,
        transformsOf: (route) => bindRoute(route, binding),
        promptOf: (route) => route.with?.prompt,
        now,
        log: (entry) => entries.push({ ...entry, error: known.mask(entry.error ?? "") }),
      });
      const ended = await Promise.all(
        routes.map((one) => (one.kind === "in lane" ? one.run() : one)),
      );
      for (const one of ended) {
        if (one.kind === "fault") failed.set(one.delivery.route, one.error);
      }
      return { failed, ...triedEvent(runnable, ended, entries) };
    },
    async close() {
      abandon.abort();
      await Promise.allSettled([...transforms.values()].map(({ part }) => part.close?.()));
    },
  };
}

function triedEvent(
  matched: readonly RouteSpec[],
  ended: readonly EndedRoute[],
  entries: readonly Omit<LogEntry, "timestamp">[],
): Omit<TriedEvent, "failed"> {
  const fates = new Map<string, TriedRoute>();
  const passed: { route: string; transform: string; error: string }[] = [];
  for (const one of ended) {
    if (one.kind !== "delivery") continue;
    fates.set(one.delivery.route, { kind: "delivered", delivery: one.delivery });
  }
  for (const { phase, route = "", transform = "", error = "" } of entries) {
    if (phase === "transform.error") passed.push({ route, transform, error });
    if (phase === "transform.drop") fates.set(route, { kind: "dropped", transform });
    if (phase === "transform.error_drop" || phase === "transform.error_halt") {
      fates.set(route, { kind: "halted", transform, error });
    }
  }
  const routes = matched.flatMap(({ name }): [string, TriedRoute][] => {
    const fate = fates.get(name);
    return fate === undefined ? [] : [[name, fate]];
  });
  return { routes: new Map(routes), passed };
}

/** Whether `event` passes a filter, as a route's. Throws `INVALID_FILTER`. */
export const eventPasses = (filter: Filter, event: OrgLoopEvent): boolean =>
  compileFilter(filter)(event);
