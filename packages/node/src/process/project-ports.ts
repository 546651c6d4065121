import type { LogEntry } from "@orgloop/sdk";
import type { Current } from "../apply/generation.ts";
import { type BusWrites, busWrites, hasRoom } from "../data/bus-writes.ts";
import type { AttemptStarts } from "../delivery/attempt-starts.ts";
import { type KeptRouteStates, keptRouteStates } from "../delivery/kept-route-states.ts";
import type { Backlog, BacklogBounds } from "../intake/backlog.ts";
import type { Lifecycle } from "../plugins/lifecycle.ts";
import { recoverUnacked } from "../routing/recover-unacked.ts";
import {
  type Activity,
  countActivity,
  type RecentEvents,
  recentEvents,
} from "../telemetry/activity.ts";
import { type EventRecorder, eventRecorder } from "../telemetry/event-recorder.ts";
import { type EventCounters, eventCounters } from "../telemetry/metrics.ts";
import type { Clock } from "./clock.ts";
import type { OpenProcess } from "./open-process.ts";

/**
 * What the parts of a project work with: its clock, log, stores and bus, and what they all count
 * and keep in.
 */
export interface ProjectPorts {
  readonly open: OpenProcess;
  readonly current: Current;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly counters: EventCounters;
  readonly activity: Activity;
  /** What is on the bus and not done with. */
  readonly backlog: Backlog;
  readonly starts: AttemptStarts;
  readonly kept: KeptRouteStates;
  readonly writes: BusWrites;
  readonly history: RecentEvents;
  readonly recorder: EventRecorder;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

export interface ProjectPortsOptions {
  readonly open: OpenProcess;
  readonly current: Current;
  readonly clock: Clock;
  readonly lifecycle: Lifecycle;
  readonly backlogBounds: BacklogBounds;
}

/** Reads what the process before has left, and opens what the parts share; `open` closes it all. */
export async function openPorts(options: ProjectPortsOptions): Promise<ProjectPorts> {
  const { open, current, clock, lifecycle, backlogBounds: bounds } = options;
  const { log, bus, dataDir } = open;
  const { fileSystem } = dataDir.disk;
  const warn = (error: string): void => log({ phase: "system.error", error });
  const { starts: startsFile, made } = dataDir;
  const left = { bus, bounds, startsFile, fileSystem, made, warn, clock };
  const { backlog, starts } = await recoverUnacked(left);
  open.defer(starts.close);
  const { byName: routes } = current().routes;
  const kept = await keptRouteStates({ store: open.routeStates, routes, clock, log });
  const retentionMs = (): number => current().retentionMs;
  const recorder = eventRecorder({ dir: dataDir.events, fileSystem, retentionMs, clock, warn });
  open.defer(recorder.close);
  const counters = eventCounters(current);
  return {
    open,
    current,
    clock,
    log,
    counters,
    activity: countActivity(current().topology, counters.listener),
    backlog,
    starts,
    kept,
    writes: busWrites({
      now: clock.now,
      waiting: () => bus.refusal?.() ?? null,
      hasRoom: () => hasRoom(dataDir.dir, fileSystem),
    }),
    history: recentEvents(),
    recorder,
    stop: lifecycle.stop.signal,
    abandon: lifecycle.abandon.signal,
    onFatal: lifecycle.fail,
  };
}
