import { bindTransforms, longestRepeatWindow, type Router, repeatPolicy } from "@orgloop/engine";
import type { CheckEvent } from "@orgloop/engine/event-schemas";
import { type Duration, type LogEntry, parseDuration, type Topology } from "@orgloop/sdk";
import { polledSources } from "../intake/polled-sources.ts";
import type { RepeatRules } from "../intake/repeats.ts";
import type { PolledSource } from "../intake/source-loop.ts";
import type { OpenPlugins } from "../plugins/open-plugins.ts";
import type { Clock } from "../process/clock.ts";
import type { CompiledRoutes } from "../routing/compile-routes.ts";
import type { PreparedTopology } from "./prepare-topology.ts";

/**
 * One configuration as it runs. An apply makes the next and swaps it in at once; an event is routed
 * wholly under the one that it met. Whoever needs it asks for the current one each time and keeps
 * none.
 */
export interface Generation extends PreparedTopology, RepeatRules {
  readonly plugins: OpenPlugins;
  readonly router: Router;
  readonly polled: readonly PolledSource[];
  /** How long the event history is kept. */
  readonly retentionMs: number;
  /** Null: no source has a schema. */
  readonly checkEvent: CheckEvent | null;
  /** Keeps what it routes with open until `run` has ended. */
  use<Result>(run: () => Promise<Result>): Promise<Result>;
  /** It is no longer the current one: resolves when nothing uses it any more. */
  left(): Promise<void>;
}

/** The configuration that runs now. */
export type Current = () => Generation;

/** Which configuration runs: each takes the place of the one before. */
export function generations(first: Generation): {
  readonly current: Current;
  swap(to: Generation): void;
} {
  let running = first;
  return {
    current: () => running,
    swap(to) {
      running = to;
    },
  };
}

export interface GenerationOptions {
  readonly prepared: PreparedTopology;
  readonly plugins: OpenPlugins;
  /** `connectorRepeatWindows` of its sources. */
  readonly windows: Readonly<Record<string, Duration>>;
  readonly checkEvent: CheckEvent | null;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Aborted when a drain gives up on what is under way. */
  readonly abandon: AbortSignal;
}

/** Throws `UNKNOWN_TRANSFORM`, and `INVALID_DURATION` where a reference resolved to nonsense. */
export function generation(options: GenerationOptions): Generation {
  const { prepared, plugins, windows, checkEvent, clock, log, abandon } = options;
  const { sources, defaults } = prepared.resolved;
  const repeatPolicies = new Map(
    sources.map((source) => [source.id, repeatPolicy(source, defaults, windows[source.connector])]),
  );
  const idle = Promise.withResolvers<void>();
  let uses = 0;
  let over = false;
  return {
    ...prepared,
    plugins,
    polled: polledSources(prepared.resolved, plugins.sources),
    retentionMs: parseDuration(prepared.resolved.defaults.event_retention),
    repeatPolicies,
    checkEvent,
    longestRepeatMs: longestRepeatWindow(repeatPolicies),
    router: routerOf(prepared.resolved, prepared.routes, {
      transforms: bindTransforms(prepared.resolved, plugins.transforms, clock, abandon),
      now: clock.now,
      log,
    }),
    async use(run) {
      uses += 1;
      try {
        return await run();
      } finally {
        uses -= 1;
        if (over && uses === 0) idle.resolve();
      }
    },
    left() {
      over = true;
      if (uses === 0) idle.resolve();
      return idle.promise;
    },
  };
}

function routerOf(
  topology: Topology,
  { matcher, prompts }: CompiledRoutes,
  {
    transforms,
    ...rest
  }: Pick<Router, "now" | "log"> & { transforms: ReturnType<typeof bindTransforms> },
): Router {
  return {
    ...rest,
    matcher,
    sources: new Map(topology.sources.map((source) => [source.id, source])),
    transformsOf: (route) => transforms.get(route.name) ?? [],
    promptOf: (route) => prompts.get(route.name),
  };
}
