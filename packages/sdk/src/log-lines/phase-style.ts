import type { Phase } from "../logger.ts";
import type { DefaultsSpec } from "../topology.ts";

type Level = DefaultsSpec["log_level"];
export type PhaseColor = "blue" | "cyan" | "dim" | "green" | "magenta" | "red" | "yellow";

/** How people see entries of a phase. */
export interface PhaseStyle {
  readonly icon: string;
  readonly color: PhaseColor;
  readonly level: Level;
}

const style = (icon: string, color: PhaseColor, level: Level = "info"): PhaseStyle => ({
  icon,
  color,
  level,
});

/**
 * Levels of v1alpha1, section 8. Phases that it does not know: what an operator must act on is a
 * warning or an error.
 */
export const PHASE_STYLES: Readonly<Record<Phase, PhaseStyle>> = {
  "source.emit": style("●", "blue"),
  "source.repeat": style("○", "dim"),
  "source.id_reused": style("⚠", "yellow", "warn"),
  "source.refused": style("✗", "yellow", "warn"),
  "source.error": style("⚠", "red", "error"),
  "source.circuit_open": style("⚠", "yellow", "warn"),
  "source.circuit_retry": style("↻", "cyan"),
  "source.circuit_close": style("✓", "green"),
  "transform.start": style("◆", "cyan", "debug"),
  "transform.pass": style("◆", "green"),
  "transform.drop": style("○", "dim"),
  "transform.error": style("⚠", "yellow", "warn"),
  "transform.error_drop": style("✗", "yellow", "warn"),
  "transform.error_halt": style("⛔", "red", "error"),
  "route.match": style("►", "cyan"),
  "route.no_match": style("►", "dim", "debug"),
  "deliver.attempt": style("▷", "cyan", "debug"),
  "deliver.success": style("✓", "green"),
  "deliver.failure": style("✗", "red", "error"),
  "deliver.retry": style("↻", "yellow", "warn"),
  "deliver.dead_letter": style("✗", "red", "error"),
  "deliver.skipped": style("○", "yellow", "warn"),
  "pipeline.backpressure": style("⚠", "yellow", "warn"),
  "circuit.open": style("⚠", "yellow", "warn"),
  "circuit.half_open": style("↻", "cyan"),
  "circuit.close": style("✓", "green"),
  "rate.limited": style("▷", "dim", "debug"),
  alert: style("⚠", "yellow", "warn"),
  "wal.rotate": style("●", "dim", "debug"),
  "wal.compact": style("●", "dim", "debug"),
  "wal.repair": style("⚠", "yellow", "warn"),
  "audit.flag": style("⚠", "yellow", "warn"),
  "inbox.notify": style("▷", "cyan"),
  "loop.detected": style("⚠", "yellow", "warn"),
  "loop.circuit_broken": style("⛔", "red", "error"),
  "system.start": style("●", "magenta"),
  "system.stop": style("●", "magenta"),
  "system.error": style("⚠", "magenta", "error"),
  "module.loading": style("●", "cyan"),
  "module.active": style("✓", "green"),
  "module.unloading": style("●", "yellow"),
  "module.removed": style("●", "dim"),
  "module.error": style("⚠", "red", "error"),
  "runtime.start": style("●", "magenta"),
  "runtime.stop": style("●", "magenta"),
};

const RANK: Readonly<Record<Level, number>> = { debug: 0, info: 1, warn: 2, error: 3 };

/** The phases of which entries are shown at a log level. */
export function shownPhases(level: Level): ReadonlySet<Phase> {
  const phases = Object.keys(PHASE_STYLES) as Phase[];
  return new Set(phases.filter((phase) => RANK[PHASE_STYLES[phase].level] >= RANK[level]));
}
