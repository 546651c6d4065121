/** What a route's delivery policy remembers over restarts. Times in ms since the epoch. */
export interface RouteState {
  /**
   * The breaker; null: closed. Failures below its threshold are not kept: they are counted anew.
   */
  readonly circuit: {
    readonly openUntilMs: number;
    /** How long it is held this time. */
    readonly cooldownMs: number;
    /** Where an actor's Retry-After has it held for longer. */
    readonly askedMs?: number;
  } | null;
  /** The rate limiter's theoretical arrival time; null: nothing was sent that still counts. */
  readonly rateMs: number | null;
}

/**
 * Breakers and rates over restarts. A healthy route without a rate has nothing here, and nothing is
 * written for it.
 */
export interface RouteStateStore {
  /** By route. */
  load(): Promise<ReadonlyMap<string, RouteState>>;
  /**
   * Null forgets. Resolves when a restart would find it (on a store that is durable); the last call
   * for a route wins.
   */
  save(route: string, state: RouteState | null): Promise<void>;
  close?(): Promise<void>;
}
