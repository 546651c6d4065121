import type { DeliverySpec, PromptSpec, RouteSpec } from "@orgloop/sdk";
import { deliveryDefaults } from "../check/check-delivery.ts";
import { oncePerValue } from "../read/once-per-value.ts";
import type { DeliveryInput } from "../schema/delivery-schema.ts";
import type { Declaration, LinkedRoute } from "./declarations.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { effectiveDelivery, mergeDelivery } from "./effective-delivery.ts";
import { given } from "./given.ts";
import { oncePerScope } from "./scope.ts";

/** A route of the Topology. */
export interface TopologyRoute {
  readonly name: string;
  /** Frozen. Made when it is asked for: most commands ask for a few of thousands. */
  readonly spec: RouteSpec;
}

type SpecOf = (route: LinkedRoute) => RouteSpec;

/** Those of `routes` that are on, in their order. */
export function topologyRoutes(
  routes: readonly LinkedRoute[],
  prompts: ReadonlyMap<Declaration, PromptSpec>,
): readonly TopologyRoute[] {
  const deliveryOf = deliveries();
  const specOf: SpecOf = (route) => {
    const spec = routeSpec(route, deliveryOf);
    const prompt = prompts.get(route);
    const prompted = prompt && { ...spec, with: { prompt_file: prompt.file, prompt } };
    return deepFreeze(prompted ?? spec);
  };
  return routes.filter(({ enabled }) => enabled).map((route) => new LazyRoute(route, specOf));
}

class LazyRoute implements TopologyRoute {
  readonly #route: LinkedRoute;
  readonly #specOf: SpecOf;
  #spec: RouteSpec | undefined;

  constructor(route: LinkedRoute, specOf: SpecOf) {
    this.#route = route;
    this.#specOf = specOf;
  }

  get name(): string {
    return this.#route.name;
  }

  get spec(): RouteSpec {
    this.#spec ??= this.#specOf(this.#route);
    return this.#spec;
  }
}

/**
 * What a route's delivery is, the defaults of its scope filled in; routes that say the same share
 * one.
 */
function deliveries(): (route: LinkedRoute) => DeliverySpec {
  const defaultsOf = deliveryDefaults();
  const plainIn = oncePerScope((scope) => effectiveDelivery(defaultsOf(scope)));
  const ownIn = oncePerScope((scope) =>
    oncePerValue((own: DeliveryInput) => effectiveDelivery(mergeDelivery(defaultsOf(scope), own))),
  );
  return ({ value, scope }) => {
    const own = value.delivery ?? value.then.delivery;
    return own === undefined ? plainIn(scope) : ownIn(scope)(own);
  };
}

function routeSpec(
  route: LinkedRoute,
  deliveryOf: (route: LinkedRoute) => DeliverySpec,
): RouteSpec {
  const { name, value, links } = route;
  return {
    name,
    ...given("description", value.description),
    when: {
      source: links.sources,
      events: Array.isArray(value.when.events) ? value.when.events : [value.when.events],
      ...given("filter", value.when.filter),
    },
    transforms: (value.transforms ?? []).map(({ ref, on_error }, index) => ({
      ref: links.transforms[index] ?? ref,
      ...given("on_error", on_error),
    })),
    then: {
      actor: links.actor,
      config: value.then.config ?? {},
      ...(links.awaitsActor && { queue_until_exists: true as const }),
    },
    delivery: deliveryOf(route),
  };
}
