/** A route's circuit breaker, as it is kept over restarts. Times in ms since the epoch. */
export interface BreakerState {
  /** Consecutive failures while closed. */
  readonly failures: number;
  /** Null: closed. Otherwise nothing is sent before this time, and one probe after it. */
  readonly openUntilMs: number | null;
  /** How long the breaker is held this time; grows with every failed probe. */
  readonly cooldownMs: number;
  /** The probe under way, and until when it is waited for: a host that died with it must not hold the route for ever. */
  readonly probeUntilMs: number | null;
}

/** What is remembered between the attempts of one delivery. Times in ms since the epoch. */
export interface AttemptState {
  /** Attempts that have failed; failed probes of an open breaker are not among them. */
  readonly attempts: number;
  /** Since when this delivery has failed as a probe; null: never, or it was attempted otherwise since. */
  readonly probedSinceMs: number | null;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly firstError: string | null;
  readonly lastError: string | null;
}
