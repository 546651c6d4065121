import type { Delivery } from "../delivery/delivery.ts";

/** A fault of one route, which ends it: the event is to become its dead letter, `invalid`. */
export interface RouteFault {
  readonly kind: "fault";
  /** Untransformed. */
  readonly delivery: Delivery;
  readonly error: string;
  /** Default: `invalid`. `poison`: the host has died of the route's transforms. */
  readonly reason?: "invalid" | "poison";
}

/** What became of an event on one route. */
export type EndedRoute =
  /** A transform ended it. */
  | { readonly kind: "ended"; readonly route: string; readonly by: "drop" | "halt" }
  | { readonly kind: "delivery"; readonly delivery: Delivery }
  | RouteFault;

/**
 * A route whose next transform may take its time: the host runs it in the lane of the route and the
 * ordering key, where one event is transformed after the other, so that nothing but its lane waits
 * for it.
 */
export interface LanedRoute {
  readonly kind: "in lane";
  /** Untransformed. */
  readonly delivery: Delivery;
  /** Never rejects. */
  readonly run: () => Promise<EndedRoute>;
}

/** What became of an event, or is to become. */
export interface RoutedEvent {
  /**
   * One for each route that matched and was not settled before, in the order of the configuration;
   * faulty filters last.
   */
  readonly routes: readonly (EndedRoute | LanedRoute)[];
  /** Names of all routes that matched, settled before or not. */
  readonly matched: readonly string[];
}
