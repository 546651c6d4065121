/** A route's circuit breaker. Times in ms since the epoch. */
export interface BreakerState {
  /** Consecutive failures while closed. */
  readonly failures: number;
  /** Null: closed. Otherwise nothing is sent before this time, and one probe after it. */
  readonly openUntilMs: number | null;
  /** How long the breaker is held this time; grows with every failed probe. */
  readonly cooldownMs: number;
  /** How long an actor's Retry-After has it held this time, where that is longer. */
  readonly askedMs?: number;
  /**
   * The probe under way, and until when it is waited for: a host that died with it must not hold
   * the route for ever.
   */
  readonly probeUntilMs: number | null;
  /**
   * How often it has opened since its route began: what began under another number (an attempt, a
   * reserved send time) was overtaken by an opening.
   */
  readonly openings: number;
}

/** A breaker that has never failed. */
export const CLOSED_BREAKER: BreakerState = {
  failures: 0,
  openUntilMs: null,
  cooldownMs: 0,
  probeUntilMs: null,
  openings: 0,
};

/**
 * What the deliveries of a route share, wherever they are attempted, and what hosts keep of it over
 * restarts. Times in ms since the epoch.
 */
export interface RouteState {
  readonly breaker: BreakerState;
  /** The rate limiter's theoretical arrival time; null: nothing was sent that still counts. */
  readonly rateMs: number | null;
}

/** What is remembered between the attempts of one delivery. Times in ms since the epoch. */
export interface AttemptState {
  /** Attempts that have failed and count (docs/decisions/0010). */
  readonly attempts: number;
  /** When an attempt of it failed for the first time without being counted; null: never. */
  readonly uncountedSinceMs: number | null;
  readonly firstAtMs: number | null;
  readonly lastAtMs: number | null;
  readonly firstError: string | null;
  readonly lastError: string | null;
}
