import type { RouteState } from "./delivery-state.ts";

/**
 * Breakers and rates over restarts. A healthy route without a rate has nothing here, and nothing is
 * written for it. Of a breaker it is kept until when it is open, and for how long: its failures
 * below the threshold are counted anew.
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
