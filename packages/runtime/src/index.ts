import type { CompareRoutingOptions, RoutingComparison } from "./compare-routing.ts";
import type { Host, HostOptions } from "./host.ts";
import type { RunningProcess, StartOptions } from "./start-process.ts";
import type { StoresVerdict } from "./verify-stores.ts";

export {
  type DeadLetterFilter,
  type DrainAnswer,
  type InjectedDraft,
  parseInjected,
  parseLetterFilter,
} from "@orgloop/core";
export type { RouteComparison, RoutingComparison } from "./compare-routing.ts";
export { isDataDirHeld } from "./data-dir-held.ts";
export type { Host, HostOptions } from "./host.ts";
export type { HostedModule, ModuleRequest } from "./host-modules.ts";
export { pluginEntry, pluginLookup } from "./plugins.ts";
export type { ProjectOptions } from "./project-options.ts";
export { removeDataDir } from "./remove-data-dir.ts";
export type { RunningProcess, StartOptions } from "./start-process.ts";
export type {
  ActorStatus,
  ModuleStatus,
  ProcessStatus,
  RepeatsStatus,
  RouteStatus,
  SourceStatus,
} from "./status.ts";
export { purgeStoredLetters, readStoredLetter, readStoredLetters } from "./stored-letters.ts";
export { type QueuedEvents, readStoredQueues } from "./stored-queues.ts";
export { readStoredState, type StoredState, type StoredStateOptions } from "./stored-state.ts";

export type { Trial, TrialOptions, TriedEvent, TriedRoute } from "./trial.ts";

export type { StoresVerdict };

/** Looks for damage in the stores of a data directory; imported only then. */
export async function verifyStores(dataDir: string): Promise<StoresVerdict> {
  const { verifyStores: verify } = await import("./verify-stores.ts");
  return verify(dataDir);
}

/** What tries events on a topology, delivering nothing; imported on first use, as what runs one is. */
export const loadTrial = () => import("./trial.ts");

/**
 * Runs a topology: opens the data directory, bus, stores and plugins, delivers what was left undelivered, listens and polls.
 * Rejects, with everything closed again, where any of it cannot be opened. What that takes is imported only then: `validate` starts
 * faster without it.
 */
export async function startProcess(options: StartOptions): Promise<RunningProcess> {
  const { startProcess: start } = await import("./start-process.ts");
  return start(options);
}

/** What becomes of recorded events under another configuration; nothing is delivered. What that takes is imported only then. */
export async function compareRouting(options: CompareRoutingOptions): Promise<RoutingComparison> {
  const { compareRouting: compare } = await import("./compare-routing.ts");
  return compare(options);
}

/** Listens, and runs the projects that it is given (`Host`). Imported only then, as above. Throws `PORT_IN_USE`. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { startHost: start } = await import("./host.ts");
  return start(options);
}
