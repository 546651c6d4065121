import { orderingOf, orderingText, valueAt } from "@orgloop/engine";
import { at, type LinkedDeclarations, type LinkedRoute } from "../resolve/declarations.ts";
import { effectiveDelivery, mergeDelivery } from "../resolve/effective-delivery.ts";
import type { Findings } from "../resolve/findings.ts";
import type { DeliveryInput } from "../schema/delivery-schema.ts";
import { deliveryDefaults } from "./check-delivery.ts";

/** `delivery` may stand at either. */
const PLACES = [["delivery"], ["then", "delivery"]] as const;

/**
 * Warns where a route sets a `concurrency` that comes to nothing: in one lane one delivery runs at
 * a time, as behind a webhook without an ordering key.
 */
export function orderingWarnings(
  routes: readonly LinkedRoute[],
  { source }: LinkedDeclarations,
  findings: Findings,
): void {
  const sources = new Map(source.map((one) => [one.name, one]));
  const defaultsOf = deliveryDefaults();
  for (const route of routes) {
    // A module's author does not know what comes from the source that it is given.
    if (route.scope.instance) continue;
    for (const path of PLACES) {
      const own = valueAt(route.value, path);
      const wanted = valueAt(own, ["concurrency"]);
      if (typeof wanted !== "number" || wanted < 2) continue;
      const delivery = effectiveDelivery(
        mergeDelivery(defaultsOf(route.scope), own as DeliveryInput),
      );
      const orderings = route.links.sources.map((name) =>
        orderingOf(delivery, sources.get(name)?.value as Parameters<typeof orderingOf>[1]),
      );
      const [first] = orderings;
      if (first === undefined || orderings.some(({ atOnce }) => atOnce > 1)) continue;
      findings.warnings.push({
        ...at(route, [...path, "concurrency"]),
        code: "one-lane",
        message: `concurrency ${wanted} comes to nothing: the events are delivered ${orderingText(first)}; give delivery.key, a path in the event, or order: none`,
      });
    }
  }
}
