import type { ActorSpec, RouteSpec } from "@orgloop/sdk";

/**
 * Actors that are no longer in the Topology and whose queues were not known to be empty at the last
 * deploy, with the routes that led to them.
 */
export type DrainingActors = readonly (ActorSpec & { readonly routes: readonly RouteSpec[] })[];

/** Where the last deploy's draining actors lie in the stage's bucket. */
export const DRAINING_KEY = "stage/draining.json";
