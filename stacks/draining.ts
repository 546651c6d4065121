import type { ActorSpec, Topology } from "@orgloop/sdk";

/** What a deploy finds of the deploys before it. */
export interface Deployed {
  /** The actors of the Topology that was applied last. */
  readonly actors: readonly ActorSpec[];
  /** Those that were draining then. */
  readonly draining: readonly ActorSpec[];
  /** Ids of the actors whose queue and dead-letter queue hold nothing, or are gone. */
  readonly empty: ReadonlySet<string>;
}

/**
 * The actors that are no longer in `topology` and keep their queues: an actor goes when it was draining already (so that nothing sends to
 * it any more: the deploy before this one has replaced the router) and has nothing left.
 */
export function stillDraining(topology: Topology, deployed: Deployed): readonly ActorSpec[] {
  const wanted = new Set(topology.actors.map(({ id }) => id));
  const before = new Set(deployed.actors.map(({ id }) => id));
  const kept = deployed.draining.filter(({ id }) => !before.has(id) && !deployed.empty.has(id));
  return [...deployed.actors, ...kept].filter(({ id }) => !wanted.has(id));
}
