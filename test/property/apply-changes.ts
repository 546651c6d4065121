import type { DeliverySpec, RouteSpec, SourceSpec, Topology } from "@orgloop/sdk";
import { SAMPLE_DEFAULTS } from "@orgloop/testkit";

/**
 * A configuration that changes step by step. Versions count up with every change, so that each
 * thing tells under which it was made.
 */
export interface Changing {
  readonly sources: Map<string, { version: number; interval: string; key: string | undefined }>;
  readonly actors: Map<string, { version: number; depth: number }>;
  readonly transforms: Map<string, { version: number }>;
  readonly routes: Map<string, { version: number; spec: Omit<RouteSpec, "name"> }>;
}

export const HOOKS = ["h0", "h1"];
const SOURCES = ["p0", "p1", "p2", "p3", ...HOOKS];
const ACTORS = ["a0", "a1", "a2", "a3"];
const TRANSFORMS = ["t0", "t1", "t2"];
const ROUTES = Array.from({ length: 8 }, (_, n) => `r${n}`);
/**
 * Takes everything, so that each event tells under which configuration it was routed: that is this
 * route's version.
 */
export const AUDIT = "audit";

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T =>
  from[Math.floor(random() * from.length)] as T;
const some = <T>(random: Random, from: readonly T[]): T[] => from.filter(() => random() < 0.5);

function delivery(random: Random): DeliverySpec {
  return {
    burst: 5,
    ...(random() < 0.3 && { max_rate: pick(random, ["500/s", "2000/s"]) }),
    ...(random() < 0.3 && { queue_depth: pick(random, [3, 10, 40]) }),
    overflow: "block",
    timeout: pick(random, ["10s", "20s"]),
    order: random() < 0.7 ? "key" : "route",
    ...(random() < 0.7 && { key: pick(random, ["payload.one", "payload.two"]) }),
    concurrency: pick(random, [1, 4, 16]),
    retry: {
      max_attempts: 1_000,
      backoff: "fixed",
      initial_delay: pick(random, ["0ms", "2ms"]),
      max_delay: "2ms",
      jitter: "none",
    },
    circuit_breaker:
      random() < 0.5 ? false : { failure_threshold: 3, cooldown: "3ms", max_cooldown: "6ms" },
  };
}

function routeOf(random: Random, { transforms }: Changing): Omit<RouteSpec, "name"> {
  const source = some(random, SOURCES);
  const filtered = random() < 0.5 && { filter: { "payload.parity": pick(random, [0, 1]) } };
  return {
    when: { source, events: ["resource.changed"], ...filtered },
    transforms: some(random, [...transforms.keys()]).map((ref) => ({ ref })),
    // Where the actor does not exist (any more) the events wait for it.
    then: { actor: pick(random, ACTORS), config: {}, queue_until_exists: true },
    delivery: delivery(random),
  };
}

const newSource = (random: Random, version: number) => ({
  version,
  interval: pick(random, ["2ms", "10ms", "25ms"]),
  key: pick(random, [undefined, undefined, "payload.one"]),
});

export function firstConfiguration(random: Random): Changing {
  const changing: Changing = {
    sources: new Map(SOURCES.map((id) => [id, newSource(random, 0)])),
    actors: new Map(ACTORS.map((id) => [id, { version: 0, depth: 20 }])),
    transforms: new Map(TRANSFORMS.map((name) => [name, { version: 0 }])),
    routes: new Map(),
  };
  for (const name of ROUTES) {
    changing.routes.set(name, { version: 0, spec: routeOf(random, changing) });
  }
  return changing;
}

/** Adds, changes or removes one thing. */
export function changeOne(random: Random, changing: Changing, version: number): void {
  const { sources, actors, transforms, routes } = changing;
  const kind = pick(random, ["source", "actor", "transform", "route", "route"]);
  const goes = random() < 0.4;
  if (kind === "source") {
    const id = pick(random, SOURCES);
    const before = sources.get(id);
    if (goes && before !== undefined) sources.delete(id);
    else if (before !== undefined && random() < 0.5)
      sources.set(id, newSource(random, before.version));
    else sources.set(id, newSource(random, version));
  } else if (kind === "actor") {
    const id = pick(random, ACTORS);
    if (goes && actors.has(id)) actors.delete(id);
    else actors.set(id, { version, depth: pick(random, [5, 20, 100]) });
  } else if (kind === "transform") {
    const name = pick(random, TRANSFORMS);
    if (!goes || !transforms.has(name)) return void transforms.set(name, { version });
    transforms.delete(name);
    for (const [route, { spec }] of routes) {
      const uses = spec.transforms.filter(({ ref }) => ref !== name);
      if (uses.length === spec.transforms.length) continue;
      routes.set(route, { version, spec: { ...spec, transforms: uses } });
    }
  } else {
    const name = pick(random, ROUTES);
    const before = routes.get(name);
    if (goes && before !== undefined) routes.delete(name);
    else if (before !== undefined && random() < 0.5) {
      routes.set(name, { version, spec: { ...before.spec, delivery: delivery(random) } });
    } else routes.set(name, { version, spec: routeOf(random, changing) });
  }
}

/** Everything is there, so that all that waits can go. */
export function complete(random: Random, { sources, actors }: Changing, version: number): void {
  for (const id of SOURCES) if (!sources.has(id)) sources.set(id, newSource(random, version));
  for (const id of ACTORS) if (!actors.has(id)) actors.set(id, { version, depth: 20 });
}

export function topologyOf(changing: Changing, generation: number): Topology {
  const connector = "connector";
  const quick = delivery(() => 0.9);
  const audit: RouteSpec = {
    name: AUDIT,
    when: { source: SOURCES, events: ["resource.changed"] },
    transforms: [],
    then: { actor: AUDIT, config: { version: generation } },
    delivery: { ...quick, order: "key", concurrency: 16 },
  };
  return {
    project: "acme",
    workspace: "default",
    bus: { url: "file" },
    defaults: {
      ...SAMPLE_DEFAULTS,
      poll_interval: "10ms",
      log_level: "info",
      checkpoint: { store: "file" },
    },
    sources: [...changing.sources].map(
      ([id, { version, interval, key }]): SourceSpec => ({
        id,
        connector,
        config: { version },
        poll: { interval },
        ...(key !== undefined && { key }),
      }),
    ),
    actors: [
      { id: AUDIT, connector, config: {}, queue_depth: 1_000 },
      ...[...changing.actors].map(([id, { version, depth }]) => ({
        id,
        connector,
        config: { version },
        queue_depth: depth,
      })),
    ],
    routes: [
      audit,
      ...[...changing.routes].map(([name, { version, spec }]) => ({
        ...spec,
        name,
        then: { ...spec.then, config: { version } },
      })),
    ],
    transforms: [...changing.transforms].map(([name, { version }]) => ({
      name,
      type: "package" as const,
      package: "transform",
      config: { version },
      timeout_ms: 30_000,
      on_error: "drop" as const,
    })),
    loggers: [],
  };
}

/** The configurations that cannot be made to run. */
export function brokenTopology(random: Random, from: Topology): Topology {
  const actors = from.actors.map((actor) => ({ ...actor, config: { version: -1 } }));
  const broken = pick(random, actors);
  return pick<() => Topology>(random, [
    () => ({
      ...from,
      actors: [...actors, { ...broken, id: "broken", config: { broken: true } }],
    }),
    () => ({ ...from, bus: { url: "memory" } }),
    () => ({
      ...from,
      actors,
      routes: from.routes.map((route) => ({ ...route, transforms: [{ ref: "none" }] })),
    }),
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the language
    () => ({ ...from, actors: actors.map((one) => ({ ...one, config: { token: "${NOT_SET}" } })) }),
  ])();
}
