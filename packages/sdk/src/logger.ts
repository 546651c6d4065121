/** Phases of an event's life (v1alpha1, section 8; `docs/commands.md`, The event log). */
export const PHASES = [
  "source.emit",
  "source.repeat",
  "source.id_reused",
  "source.refused",
  "source.error",
  "source.circuit_open",
  "source.circuit_retry",
  "source.circuit_close",
  "transform.start",
  "transform.pass",
  "transform.drop",
  "transform.error",
  "transform.error_drop",
  "transform.error_halt",
  "route.match",
  "route.no_match",
  "deliver.attempt",
  "deliver.success",
  "deliver.failure",
  "deliver.retry",
  "deliver.dead_letter",
  "deliver.skipped",
  "pipeline.backpressure",
  "circuit.open",
  "circuit.half_open",
  "circuit.close",
  "rate.limited",
  "alert",
  "wal.rotate",
  "wal.compact",
  "wal.repair",
  "audit.flag",
  "inbox.notify",
  "loop.detected",
  "loop.circuit_broken",
  "system.start",
  "system.stop",
  "system.error",
  "module.loading",
  "module.active",
  "module.unloading",
  "module.removed",
  "module.error",
  "runtime.start",
  "runtime.stop",
] as const;
export type Phase = (typeof PHASES)[number];

/** One line of the event log (v1alpha1, section 8). */
export interface LogEntry {
  /** ISO 8601, UTC. */
  readonly timestamp: string;
  readonly phase: Phase;
  readonly event_id?: string;
  readonly trace_id?: string;
  readonly source?: string;
  /** The actor's id. */
  readonly target?: string;
  readonly route?: string;
  readonly transform?: string;
  readonly event_type?: string;
  readonly result?: string;
  readonly attempt?: number;
  /** Which replay of the event it is about; absent the first time. */
  readonly replay?: number;
  readonly duration_ms?: number;
  readonly queue_depth?: number;
  readonly error?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly workspace?: string;
  readonly module?: string;
}

/**
 * A running logger. `log` never throws and never waits; what it cannot keep up with it drops and
 * counts.
 */
export interface Logger {
  log(entry: LogEntry): void;
  flush?(): Promise<void>;
  close?(): Promise<void>;
}
