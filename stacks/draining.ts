import type { ActorSpec, RouteSpec, Topology } from "@orgloop/sdk";

/**
 * A removed actor, with the routes that what waits for it was matched by: their timeouts and
 * secrets are still needed.
 */
export type DrainingActor = ActorSpec & { readonly routes: readonly RouteSpec[] };

/** What a deploy finds of the deploys before it. */
export interface Deployed {
  /** Whose the stage is; null where that is not known. */
  readonly project: string | null;
  /** Of the Topology that was applied last. */
  readonly actors: readonly ActorSpec[];
  readonly routes: readonly RouteSpec[];
  /** Those that were draining then. */
  readonly draining: readonly DrainingActor[];
  /** Ids of the actors whose queue and dead-letter queue hold nothing, or are gone. */
  readonly empty: ReadonlySet<string>;
}

/**
 * The actors that are no longer in `topology` and keep their queues: an actor goes when it was
 * draining already (so that nothing sends to it any more: the deploy before this one has replaced
 * the router) and has nothing left.
 */
export function stillDraining(topology: Topology, deployed: Deployed): readonly DrainingActor[] {
  const wanted = new Set(topology.actors.map(({ id }) => id));
  const before = new Set(deployed.actors.map(({ id }) => id));
  const kept = deployed.draining.filter(({ id }) => !before.has(id) && !deployed.empty.has(id));
  const routesTo = Map.groupBy(deployed.routes, ({ then }) => then.actor);
  const removed = deployed.actors.map((one) => ({ ...one, routes: routesTo.get(one.id) ?? [] }));
  return [...removed, ...kept].filter(({ id }) => !wanted.has(id));
}
