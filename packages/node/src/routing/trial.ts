import {
  bindRoute,
  compileFilter,
  compileMatcher,
  type Delivery,
  type EndedRoute,
  guardedNetwork,
  type KnownSecrets,
  knownSecrets,
  type Matcher,
  type OpenEntry,
  openPlugin,
  routeEvent,
  systemClock,
  wantedTransform,
} from "@orgloop/engine";
import {
  type Filter,
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
  /**
   * The transforms with their references, where `topology` has them resolved: what these stand for
   * is masked.
   */
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
  /**
   * Routes that match but cannot be run, and why: a transform that cannot be started. They are not
   * in `routes`.
   */
  readonly failed: ReadonlyMap<string, string>;
  /** Transforms that failed and let the event through (`on_error: pass`). */
  readonly passed: readonly {
    readonly route: string;
    readonly transform: string;
    readonly error: string;
  }[];
}

/**
 * Events that are routed one after the other, as by a process that has just started with empty
 * stores.
 */
export interface Trial {
  /**
   * `nowMs` is the time as transforms see it, in ms since the epoch. A transform is started with
   * the first event that meets it.
   */
  route(event: OrgLoopEvent, nowMs: number): Promise<TriedEvent>;
  close(): Promise<void>;
}

/**
 * Routes events as the process would, with its transforms, and delivers nothing: no source, actor
 * or logger is created, and nothing is kept. The routes are compiled once for all trials. Throws
 * `INVALID_FILTER`.
 */
export function trialOf(options: TrialOptions): () => Trial {
  const matcher = compileMatcher(options.topology.routes);
  return () => beginTrial(options, matcher);
}

function beginTrial(options: TrialOptions, matcher: Matcher): Trial {
  const { topology } = options;
  let nowMs = 0;
  const now = () => nowMs;
  const known = knownSecrets();
  const sources = new Map(topology.sources.map((source) => [source.id, source]));
  const started = startedTransforms(options, now, known);
  const abandon = new AbortController();
  const clock = { ...systemClock, now, wall: now };
  const binding = { ...started, clock, abandon: abandon.signal };

  return {
    async route(event, atMs) {
      nowMs = atMs;
      const failed = new Map<string, string>();
      const runnable: RouteSpec[] = [];
      for (const route of matcher.match(event)) {
        const reason = await started.start(route);
        if (reason === null) runnable.push(route);
        else failed.set(route.name, reason);
      }
      const entries: OpenEntry[] = [];
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
      const parts = started.transforms.values();
      await Promise.allSettled(Array.from(parts, ({ part }) => part.close?.()));
    },
  };
}

/** Transforms, each started with the first event that meets it. */
function startedTransforms(
  { topology, written = [], projectDir, lookup, warn = () => {} }: TrialOptions,
  now: () => number,
  known: KnownSecrets,
) {
  const network = guardedNetwork(topology.network?.allow_private);
  const plugin = { projectDir, lookup, claims: memoryClaims(), now, warn, network, known };
  const specs = new Map(topology.transforms.map((spec) => [spec.name, spec]));
  const asWritten = new Map(written.map((spec) => [spec.name, spec]));
  const transforms = new Map<string, { readonly part: Transform }>();
  const broken = new Map<string, string>();

  /** The reason why the transform cannot be started, or null. */
  async function startOne(ref: string): Promise<string | null> {
    if (transforms.has(ref)) return null;
    const before = broken.get(ref);
    if (before !== undefined) return before;
    const spec = specs.get(ref);
    if (spec === undefined) return `there is no transform "${ref}"`;
    try {
      const { config: written } = wantedTransform(asWritten.get(ref) ?? spec);
      const wanted = { ...wantedTransform(spec), written };
      transforms.set(ref, { part: await openPlugin(wanted, plugin) });
      return null;
    } catch (error) {
      const reason = `transform "${ref}" could not be started: ${messageOf(error)}`;
      broken.set(ref, reason);
      return reason;
    }
  }

  return {
    specs,
    transforms,
    /** Starts the route's transforms; the reason why one of them cannot be, or null. */
    async start(route: RouteSpec): Promise<string | null> {
      for (const { ref } of route.transforms) {
        const reason = await startOne(ref);
        if (reason !== null) return reason;
      }
      return null;
    },
  };
}

function triedEvent(
  matched: readonly RouteSpec[],
  ended: readonly EndedRoute[],
  entries: readonly OpenEntry[],
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
