import type { DefaultsSpec, Phase } from "@orgloop/sdk";

type Level = DefaultsSpec["log_level"];

const RANK = { debug: 0, info: 1, warn: 2, error: 3 } as const satisfies Record<Level, number>;

/** v1alpha1, section 8; what stands in none is info. */
const LEVELS: Partial<Record<Phase, Level>> = {
  "transform.start": "debug",
  "route.no_match": "debug",
  "deliver.attempt": "debug",
  "source.refused": "warn",
  "source.error": "warn",
  "source.circuit_open": "warn",
  "transform.error": "warn",
  "transform.error_drop": "warn",
  "deliver.retry": "warn",
  "pipeline.backpressure": "warn",
  "circuit.open": "warn",
  "wal.repair": "warn",
  alert: "warn",
  "audit.flag": "warn",
  "loop.detected": "warn",
  "deliver.failure": "error",
  "deliver.dead_letter": "error",
  "transform.error_halt": "error",
  "system.error": "error",
  "module.error": "error",
  "loop.circuit_broken": "error",
};

export function levelOf(phase: Phase): Level {
  return LEVELS[phase] ?? "info";
}

/** True where an entry of `phase` is shown at the log level `shown`. */
export function isShown(phase: Phase, shown: Level): boolean {
  return RANK[levelOf(phase)] >= RANK[shown];
}
