import type { DeliveryPolicy } from "@orgloop/core";
import type { Actor } from "@orgloop/sdk";
import {
  type ActorDeliverer,
  type ActorDelivererOptions,
  actorDeliverer,
} from "./actor-deliverer.ts";
import type { Generation } from "./generation.ts";
import type { Held } from "./held.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";

/** What all deliverers share. */
export type DelivererSurroundings = Pick<
  ActorDelivererOptions,
  "clock" | "bury" | "log" | "activity" | "alert" | "starts" | "abandon"
> & { readonly kept: KeptRouteStates };

/** One deliverer for each actor. */
export interface Deliverers {
  /** By actor. */
  readonly all: ReadonlyMap<string, ActorDeliverer>;
}

export function startDeliverers(
  { resolved, routes, plugins }: Generation,
  shared: DelivererSurroundings,
): Deliverers {
  const { breakers, rates } = shared.kept;
  const all = new Map(
    resolved.actors.map(({ id, queue_depth: depth }) => {
      const { part: actor } = plugins.actors.get(id) as Held<Actor>;
      const policies = routes.policies.get(id) as ReadonlyMap<string, DeliveryPolicy>;
      return [
        id,
        actorDeliverer({ ...shared, id, depth, policies, breakers, rates, actor }),
      ] as const;
    }),
  );
  return { all };
}
