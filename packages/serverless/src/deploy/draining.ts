import type { ActorSpec } from "@orgloop/sdk";

/** Actors that are no longer in the Topology and whose queues were not known to be empty at the last deploy. */
export type DrainingActors = readonly ActorSpec[];

/** Where the last deploy's draining actors lie in the stage's bucket. */
export const DRAINING_KEY = "stage/draining.json";
