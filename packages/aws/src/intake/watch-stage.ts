import { circuitOf } from "@orgloop/engine";
import type { FlowLog } from "../functions/flow-log.ts";
import type { AppliedStage } from "../state/applied-state.ts";
import type { SharedRouteStates } from "../state/route-states.ts";
import type { SourceState } from "../state/source-states.ts";
import { sourceHealth, type WatchedSource } from "./source-health.ts";

export interface WatchOptions {
  readonly sources: readonly WatchedSource[];
  readonly states: (ids: readonly string[]) => Promise<ReadonlyMap<string, SourceState>>;
  readonly routes: Pick<SharedRouteStates, "load">;
  /** What the last deploy recorded; null: nothing yet. */
  readonly applied: () => Promise<Pick<AppliedStage, "applied_at"> | null>;
  readonly now: () => number;
  readonly flow: FlowLog;
}

/** Names of one entry: a log line has its limits. */
const MAX_NAMED = 50;
/** Failures in a row that are more than a hiccup. */
const FAILING = 3;

/**
 * Looks whether sources are polled as often as they should be, and which breakers are open: from
 * the table, so that neither a dead poller nor a dead deliver function has to say it. Counts each
 * time, also nothing; names who is ill.
 */
export async function watchStage(options: WatchOptions): Promise<void> {
  await watchSources(options);
  await watchBreakers(options);
}

async function watchSources(options: WatchOptions): Promise<void> {
  const { sources, states, applied, now, flow } = options;
  if (sources.length === 0) return;
  const [found, last] = await Promise.all([states(sources.map(({ id }) => id)), applied()]);
  const sinceMs = last === null ? now() : Date.parse(last.applied_at);
  const stale: string[] = [];
  const failing: string[] = [];
  for (const { id, interval_ms } of sources) {
    const state = found.get(id);
    if (sourceHealth(state, { intervalMs: interval_ms, sinceMs }, now()) === "stale")
      stale.push(id);
    if (Math.max(state?.failures ?? 0, state?.unended ?? 0) >= FAILING) failing.push(id);
  }
  flow.count("sourcesWatched", sources.length);
  flow.count("sourcesStale", stale.length);
  flow.count("sourcesFailing", failing.length);
  say(flow, stale, "not polled for several intervals");
  say(flow, failing, "fails whenever it is polled");
}

async function watchBreakers({ routes, now, flow }: WatchOptions): Promise<void> {
  const open = [...(await routes.load())].flatMap(([name, { breaker }]) =>
    circuitOf(breaker, now()) === "closed" ? [] : [name],
  );
  flow.count("breakersOpen", open.length);
  say(flow, open, "its breaker is open", "route");
}

function say(
  flow: FlowLog,
  names: readonly string[],
  error: string,
  kind: "source" | "route" = "source",
): void {
  for (const name of names.slice(0, MAX_NAMED)) flow.log({ phase: "alert", [kind]: name, error });
  const more = names.length - MAX_NAMED;
  if (more > 0) flow.log({ phase: "alert", error: `${error}: ${more} more` });
}
