import { setImmediate } from "node:timers/promises";
import { type PlanState, planTopology } from "@orgloop/config";
import type { FileSystem } from "@orgloop/files";
import {
  type CheckpointStore,
  type LogEntry,
  messageOf,
  OrgLoopError,
  type Topology,
} from "@orgloop/sdk";
import { type AppliedState, writeAppliedState } from "@orgloop/stores";
import type { RepeatMemory } from "../intake/repeats.ts";
import { closeAll, type OpenPlugins } from "../plugins/open-plugins.ts";
import type { Clock } from "../process/clock.ts";
import { forgetCheckpoint, keepApplied, removedSources } from "./applied.ts";
import { type Current, type Generation, generations } from "./generation.ts";
import { needsRestart } from "./needs-restart.ts";
import type { PreparedTopology } from "./prepare-topology.ts";
import { renewedPlugins } from "./renewed-plugins.ts";

/** What runs, as the plan knows it. */
export interface RunningTopology extends PlanState {
  readonly hash: string;
  /** References unresolved, secrets that are written out sealed. */
  readonly topology: Topology;
}

/** What an apply has made. */
export interface AppliedChange {
  readonly serial: number;
  readonly hash: string;
  /** e.g. `3 sources added, 1 route changed`. */
  readonly summary: string;
  /**
   * What was made anew since a value behind its references has changed, e.g. `actor "reviewer"`.
   */
  readonly renewed: readonly string[];
}

/**
 * Everything that runs goes on under `to`, at once; `left` resolves when no event is routed under
 * `from` or before any more.
 */
export type OnSwap = (from: Generation, to: Generation, left: Promise<unknown>) => void;

export interface ConfigurationOptions {
  readonly first: Generation;
  /** Absolute. */
  readonly dataDir: string;
  readonly fileSystem: FileSystem;
  /** Seals secrets that are written out: nothing else of a topology is told or kept. */
  readonly seal: (topology: Topology) => Topology;
  /** What was applied before the start. */
  readonly before: AppliedState | null;
  /** Rejects with what keeps a topology from running, with nothing open. */
  readonly prepare: (topology: Topology) => Promise<PreparedTopology>;
  /** Makes it ready to run beside what runs. */
  readonly open: (prepared: PreparedTopology, before: Generation) => Promise<Generation>;
  readonly checkpoints: CheckpointStore;
  readonly repeats: Pick<RepeatMemory, "forget">;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
}

/** The configuration that a project runs, and the way to the next. */
export interface Configuration {
  readonly current: Current;
  /** Told of every change. */
  onSwap(listener: OnSwap): void;
  /**
   * Makes what was started the applied state; a source that is gone loses its checkpoint. Nothing
   * is applied before.
   */
  begin(): Promise<void>;
  running(): RunningTopology;
  /**
   * Goes on under `topology` without a restart. One at a time. Rejects, and everything goes on as
   * before, with `STATE_MISMATCH` where something else runs than `expect` says, `RESTART_NEEDED`,
   * `DRAINING`, or what keeps it from running.
   */
  apply(topology: Topology, expect?: PlanState): Promise<AppliedChange>;
  /** After the stop: resolves when no change is half done. */
  settled(): Promise<void>;
}

export function configuration(options: ConfigurationOptions): Configuration {
  const { log, stop } = options;
  const { current, swap: goOn } = generations(options.first);
  let applied: AppliedState | null = null;
  let onSwap: OnSwap = () => {};
  let turn: Promise<unknown> = Promise.resolve();
  let committing: Promise<unknown> = Promise.resolve();
  let allLeft: Promise<unknown> = Promise.resolve();

  const running = (): RunningTopology => runningOf(applied);

  function swap(to: Generation): void {
    const from = current();
    goOn(to);
    allLeft = Promise.all([allLeft, from.left()]).then(() => {});
    onSwap(from, to, allLeft);
    releaseReplaced(from.plugins, to.plugins, allLeft);
  }

  async function commit(to: Generation): Promise<void> {
    refuseWhileStopping(stop);
    applied = await keepAgain(applied, to.topology, options);
    swap(to);
  }

  async function change(topology: Topology, expect: PlanState | undefined): Promise<AppliedChange> {
    refuseWhileStopping(stop);
    const from = current();
    refuseUnexpected(running(), expect);
    const { to, summary } = await openNext(topology, running(), from, options);
    const committed = commit(to);
    committing = committed.catch(() => {});
    await committed.catch(async (error) => {
      await closeAll(to.plugins.created);
      throw error;
    });
    const { serial, hash } = running();
    return { serial, hash, summary, renewed: renewedPlugins(from, to) };
  }

  return {
    current,
    running,
    onSwap(listener) {
      onSwap = listener;
    },
    async begin() {
      const { topology } = current();
      applied = await keep(options.before, topology, options);
      await forgetRemoved(topology, options);
    },
    apply(topology, expect) {
      const mine = turn.then(() => logged(change(topology, expect), log));
      turn = mine.catch(() => {});
      return mine;
    },
    settled: async () => void (await committing),
  };
}

function keep(
  before: AppliedState | null,
  topology: Topology,
  options: ConfigurationOptions,
): Promise<AppliedState> {
  const { seal, clock } = options;
  return keepApplied({ ...options, before, topology: seal(topology), now: clock.wall });
}

async function keepAgain(
  applied: AppliedState | null,
  topology: Topology,
  options: ConfigurationOptions,
): Promise<AppliedState> {
  const kept = await keep(applied, topology, options);
  // The file may say something else, after a restored backup: whoever applies sets that right.
  if (kept === applied) await writeAppliedState(options.dataDir, kept, options.fileSystem);
  return kept;
}

function runningOf(applied: AppliedState | null): RunningTopology {
  if (applied === null) throw new OrgLoopError("STARTING", "the process is starting");
  const { serial, hash, topology } = applied;
  return { serial, hash, topology };
}

function refuseWhileStopping(stop: AbortSignal): void {
  if (stop.aborted) throw new OrgLoopError("DRAINING", "the process is stopping");
}

/** Opens what is to run next beside what runs; throws what keeps it from that. */
async function openNext(
  topology: Topology,
  before: RunningTopology,
  current: Generation,
  { prepare, open, seal }: ConfigurationOptions,
): Promise<{ readonly to: Generation; readonly summary: string }> {
  const prepared = await prepare(topology);
  await setImmediate();
  const { summary } = planTopology(before.topology, seal(topology));
  const kept = needsRestart(current, prepared);
  if (kept !== null) throw kept;
  return { to: await open(prepared, current), summary };
}

/**
 * Sources at once, transforms when nothing is routed through them any more; actors are their
 * deliverers'.
 */
function releaseReplaced(from: OpenPlugins, to: OpenPlugins, left: Promise<unknown>): void {
  for (const [id, source] of from.sources) {
    if (to.sources.get(id) !== source) void source.release();
  }
  for (const [name, transform] of from.transforms) {
    if (to.transforms.get(name) !== transform) void left.then(transform.release);
  }
}

/** A source that was removed while nothing ran begins anew when it comes back. */
async function forgetRemoved(
  topology: Topology,
  { before, checkpoints, log }: ConfigurationOptions,
): Promise<void> {
  if (before === null) return;
  for (const id of removedSources(before.topology, topology)) {
    await forgetCheckpoint(id, checkpoints, log);
  }
}

/** Logs how a change ends. */
async function logged(
  change: Promise<AppliedChange>,
  log: ConfigurationOptions["log"],
): Promise<AppliedChange> {
  try {
    const made = await change;
    const { summary: result, ...metadata } = made;
    log({ phase: "module.active", result, metadata });
    return made;
  } catch (error) {
    log({ phase: "module.error", error: `not applied: ${messageOf(error)}` });
    throw error;
  }
}

function refuseUnexpected(found: RunningTopology, expect: PlanState | undefined): void {
  if (expect === undefined) return;
  if (expect.serial === found.serial && expect.hash === found.hash) return;
  const name = ({ serial, hash }: PlanState): string =>
    `serial ${serial} (${hash?.slice(0, 12) ?? "nothing"})`;
  throw new OrgLoopError(
    "STATE_MISMATCH",
    `the plan was made from ${name(expect)}, but ${name(found)} runs: make the plan again`,
  );
}
