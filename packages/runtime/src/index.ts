export { isDataDirHeld } from "./data-dir-held.ts";
export type { InjectedDraft } from "./ingest.ts";
export { pluginLookup } from "./plugins.ts";
export { type RunningProcess, type StartOptions, startProcess } from "./start-process.ts";
export type {
  ActorStatus,
  ModuleStatus,
  ProcessStatus,
  RouteStatus,
  SourceStatus,
} from "./status.ts";
export { readStoredState, type StoredState, type StoredStateOptions } from "./stored-state.ts";
