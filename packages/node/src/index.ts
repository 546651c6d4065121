import type { StoresVerdict } from "./data/verify-stores.ts";
import type { Daemon, DaemonOptions } from "./process/daemon.ts";
import type { RunningProcess, StartOptions } from "./process/start-process.ts";
import type { CompareRoutingOptions, RoutingComparison } from "./routing/compare-routing.ts";

export {
  type DeadLetterFilter,
  type DrainAnswer,
  type InjectedDraft,
  parseInjected,
  parseLetterFilter,
} from "@orgloop/engine";
export { isDataDirLocked } from "./data/data-dir-locked.ts";
export { removeDataDir } from "./data/remove-data-dir.ts";
export { purgeStoredLetters, readStoredLetter, readStoredLetters } from "./data/stored-letters.ts";
export { type QueuedEvents, readStoredQueues } from "./data/stored-queues.ts";
export { readStoredState, type StoredState, type StoredStateOptions } from "./data/stored-state.ts";
export { readStoredTraces } from "./data/stored-traces.ts";
export { OWN_PACKAGES, pluginEntry, pluginLookup } from "./plugins/plugins.ts";
export type { Daemon, DaemonOptions } from "./process/daemon.ts";
export type { HostedProject, ProjectRequest } from "./process/hosted-project.ts";
export type { ProjectOptions } from "./process/project-options.ts";
export type { RunningProcess, StartOptions } from "./process/start-process.ts";
export type { RouteComparison, RoutingComparison } from "./routing/compare-routing.ts";
export type { Trial, TrialOptions, TriedEvent, TriedRoute } from "./routing/trial.ts";
export type {
  ActorStatus,
  ModuleStatus,
  ProcessStatus,
  RepeatsStatus,
  RouteStatus,
  SourceStatus,
} from "./telemetry/status.ts";

export type { StoresVerdict };

/** Looks for damage in the stores of a data directory; imported only then. */
export async function verifyStores(dataDir: string): Promise<StoresVerdict> {
  const { verifyStores: verify } = await import("./data/verify-stores.ts");
  return verify(dataDir);
}

/**
 * What tries events on a topology, delivering nothing; imported on first use, as what runs one is.
 */
export const loadTrial = () => import("./routing/trial.ts");

/**
 * Runs a topology: opens the data directory, bus, stores and plugins, delivers what was left
 * undelivered, listens and polls. Rejects, with everything closed again, where any of it cannot be
 * opened. What that takes is imported only then: `validate` starts faster without it.
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const { startProcess: start } = await import("./process/start-process.ts");
  return start(options);
}

/**
 * What becomes of recorded events under another configuration; nothing is delivered. What that
 * takes is imported only then.
 */
export async function compareRouting(options: CompareRoutingOptions): Promise<RoutingComparison> {
  const { compareRouting: compare } = await import("./routing/compare-routing.ts");
  return compare(options);
}

/**
 * Listens, and runs the projects that it is given (`Daemon`). Imported only then, as above. Throws
 * `PORT_IN_USE`.
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  const { startDaemon: start } = await import("./process/daemon.ts");
  return start(options);
}
