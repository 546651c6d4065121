import { type Plan, type PlanKind, restartedSources } from "@orgloop/config";
import type { QueuedEvents } from "@orgloop/node";
import { hasCode, messageOf, type Topology } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { callProcess } from "../process/running-process.ts";
import { type RunningState, runningQueues } from "./running-state.ts";

/** What a change takes with it. */
export interface Loss {
  readonly kind: PlanKind;
  readonly name: string;
  /** Of a source: where it had got to is forgotten. */
  readonly checkpoint: boolean;
  /**
   * Of a route, an actor, the bus: events that wait there; null where the log is damaged, so that
   * nobody can count them.
   */
  readonly queued: number | null;
}

export interface LossOptions {
  readonly plan: Plan;
  /** What was applied, and what is to be. */
  readonly from: Topology;
  readonly to: Topology;
  readonly projectDir: string;
  readonly dataDir: string;
  /** Null: nothing runs, and the data directory says. */
  readonly running: RunningState | null;
}

/** The destructive changes of a plan, in its order: only where there is something to lose. */
export async function lossesOf(
  context: CommandContext,
  { plan, from, to, projectDir, dataDir, running }: LossOptions,
): Promise<Loss[]> {
  const restarted = new Set(restartedSources(to, from));
  const goes = plan.changes.filter(
    ({ kind, name, action }) =>
      action === "remove" ||
      (kind === "source" && action === "change" && restarted.has(name)) ||
      kind === "bus",
  );
  if (goes.length === 0) return [];
  const names = (kind: PlanKind) =>
    new Set(goes.flatMap((change) => (change.kind === kind ? [change.name] : [])));
  const sources = names("source");
  const checkpoints =
    sources.size === 0
      ? new Set<string>()
      : await checkpointsOf(context, { sources, from, projectDir, dataDir, running });
  const events = goes.some(({ kind }) => kind !== "source")
    ? await eventsOf(context, { from, dataDir, running })
    : NO_EVENTS;
  const countOf = (kind: PlanKind, name: string): number | null => {
    if (kind !== "route" && kind !== "actor" && kind !== "bus") return 0;
    if (events === null) return null;
    return kind === "bus" ? events.unacked : (events[`${kind}s`][name] ?? 0);
  };
  return goes
    .map(({ kind, name }): Loss => {
      const checkpoint = kind === "source" && checkpoints.has(name);
      return { kind, name, checkpoint, queued: countOf(kind, name) };
    })
    .filter(({ checkpoint, queued }) => checkpoint || queued !== 0);
}

/** Which of the sources have a checkpoint. */
async function checkpointsOf(
  { home }: CommandContext,
  {
    sources,
    from,
    projectDir,
    dataDir,
    running,
  }: Omit<LossOptions, "plan" | "to"> & { readonly sources: ReadonlySet<string> },
): Promise<ReadonlySet<string>> {
  if (running !== null) {
    const status = await callProcess<{ sources: { id: string; checkpoint: string | null }[] }>(
      home,
      running.process,
      "/control/status",
    );
    return new Set(status.sources.flatMap((one) => (one.checkpoint === null ? [] : [one.id])));
  }
  const { readStoredState } = await import("@orgloop/node");
  // Without a bus: its events are counted elsewhere.
  const topology: Topology = {
    ...from,
    bus: { url: "memory" },
    sources: from.sources.filter(({ id }) => sources.has(id)),
  };
  const stored = await readStoredState({ topology, projectDir, dataDir });
  return new Set(stored.checkpoints.keys());
}

const NO_EVENTS: QueuedEvents = { routes: {}, actors: {}, unacked: 0 };

/** Null where the log is damaged, which is said. */
async function eventsOf(
  context: CommandContext,
  { from, dataDir, running }: Pick<LossOptions, "from" | "dataDir" | "running">,
): Promise<QueuedEvents | null> {
  if (running === null) {
    const { readStoredQueues } = await import("@orgloop/node");
    try {
      return await readStoredQueues(from, dataDir);
    } catch (error) {
      if (!hasCode(error, "WAL_CORRUPT")) throw error;
      context.output.warn(`what waits is not known: ${messageOf(error)}`);
      return null;
    }
  }
  const { unacked } = await callProcess<{ unacked: number }>(
    context.home,
    running.process,
    "/control/status",
  );
  return { ...(await runningQueues(context, running)), unacked };
}
