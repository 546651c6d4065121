import type { Circuit } from "@orgloop/engine";
import type { IllList } from "@orgloop/sdk";

/** Of what a source is doing: v1alpha1's words for its health in `status`, ours in `state`. */
export interface SourceStatus {
  readonly id: string;
  readonly connector: string;
  readonly type: "webhook" | "polling";
  readonly state: "active" | "degraded" | "circuit_open";
  readonly checkpoint: string | null;
  /** ISO 8601, UTC. */
  readonly last_poll_at: string | null;
  readonly events: number;
  readonly refused: number;
  /** Sent again, as it was published before. */
  readonly repeats: number;
  readonly errors: number;
  readonly status: "healthy" | "degraded" | "unhealthy";
  readonly event_count: number;
  readonly last_event: string | null;
  readonly poll_interval?: string;
  /** Lists of the source that could not be read last time; absent where there is none. */
  readonly ill_lists?: readonly IllList[];
}

export interface RouteStatus {
  readonly name: string;
  readonly matched: number;
  readonly delivered: number;
  readonly failed: number;
  readonly circuit: Circuit;
  /** By its transforms. */
  readonly dropped: number;
  /** Of a breaker that is not closed, else null. */
  readonly breaker: BreakerStatus | null;
}

/** Times are ISO 8601, UTC. */
export interface BreakerStatus {
  /** What the last attempt came to; null: it opened before the process began. */
  readonly reason: string | null;
  /** Null: before the process began. */
  readonly since: string | null;
  /** When the next event is let through, to see whether the actor has recovered. */
  readonly next_probe_at: string;
}

export interface ActorStatus {
  readonly id: string;
  readonly connector: string;
  readonly queued: number;
  readonly queue_depth: number;
  readonly in_flight: number;
  /** When the event that waits longest was made: ISO 8601, as its source says; null: none waits. */
  readonly oldest_at: string | null;
}

/**
 * What `status --json` shows (`docs/commands.md`) together with v1alpha1's `GET /api/status`
 * (section 10).
 */
export interface ProcessStatus {
  readonly project: string;
  readonly workspace: string;
  readonly running: boolean;
  readonly draining: boolean;
  /** The bus's URL, without credentials. */
  readonly bus: string;
  readonly health: "ok" | "degraded" | "error";
  /** Why no events are taken in now (`/readyz` is 503); null: they are. */
  readonly not_ready: string | null;
  readonly pid: number;
  readonly uptime_ms: number;
  readonly http_port: number;
  readonly modules: readonly ModuleStatus[];
  readonly sources: readonly SourceStatus[];
  readonly routes: readonly RouteStatus[];
  readonly actors: readonly ActorStatus[];
  readonly unacked: number;
  readonly dead_letters: number;
  /** What is known of repeats. */
  readonly repeats: RepeatsStatus;
}

export interface RepeatsStatus {
  /** Ids that are remembered, and how many can be. */
  readonly ids: number;
  readonly most: number;
  /** Of the longest window of any source. */
  readonly window_ms: number;
  /** For how long ids are remembered really: less than the window where there were too many. */
  readonly holds_ms: number;
}

/** v1alpha1's module: a loaded project. */
export interface ModuleStatus {
  readonly name: string;
  /** `error`: it ended by itself; `failed`: it could not be opened. */
  readonly state: "starting" | "active" | "unloading" | "error" | "failed";
  /** Why it `failed`. */
  readonly error?: string;
  readonly sources: number;
  readonly routes: number;
  readonly actors: number;
  readonly uptime_ms: number;
}
