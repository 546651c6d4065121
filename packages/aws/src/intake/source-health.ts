import type { SourceState } from "../state/source-states.ts";

/** A polled source, as whoever looks after it has to know it. */
export interface WatchedSource {
  readonly id: string;
  readonly interval_ms: number;
}

/**
 * `stale`: it was not polled for several of its intervals. `degraded`: its last poll failed, or did
 * not end.
 */
export type SourceHealth = "active" | "degraded" | "stale";

/** Intervals without a poll, and what a tick may be late beside them (its window, a cold start). */
const INTERVALS = 3;
const LATE_MS = 300_000;

/** How long after its last poll a source is stale. */
export const staleAfterMs = (intervalMs: number): number => INTERVALS * intervalMs + LATE_MS;

/**
 * Of what the table has of a source's polls; `sinceMs` is when it was deployed, for one that was
 * never polled. A source that is being polled, or that asked to be left alone, is not stale.
 */
export function sourceHealth(
  state: SourceState | undefined,
  { intervalMs, sinceMs }: { readonly intervalMs: number; readonly sinceMs: number },
  nowMs: number,
): SourceHealth {
  const last = Math.max(state?.polledMs ?? sinceMs, state?.leaseUntilMs ?? 0);
  if (nowMs - last > staleAfterMs(intervalMs)) return "stale";
  return (state?.failures ?? 0) > 0 || (state?.unended ?? 0) > 1 ? "degraded" : "active";
}
