/**
 * A source's circuit breaker: v1alpha1, section 6: 5 consecutive errors open it, one poll is tried
 * after 60 s.
 */
export interface SourceCircuit {
  readonly errors: number;
  readonly open: boolean;
}

export const CLOSED_SOURCE: SourceCircuit = { errors: 0, open: false };
export const SOURCE_FAILURE_THRESHOLD = 5;
export const SOURCE_COOLDOWN_MS = 60_000;

export function afterPollError({ errors }: SourceCircuit): SourceCircuit {
  return { errors: errors + 1, open: errors + 1 >= SOURCE_FAILURE_THRESHOLD };
}

/** How a source does, in the words of v1alpha1. */
export function sourceHealth({
  errors,
  open,
}: SourceCircuit): "healthy" | "degraded" | "unhealthy" {
  if (open) return "unhealthy";
  return errors > 0 ? "degraded" : "healthy";
}
