import { type DocumentPath, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { at, type Declaration } from "../resolve/declarations.ts";
import { effectiveDelivery, mergeDelivery } from "../resolve/effective-delivery.ts";
import type { Findings } from "../resolve/findings.ts";
import type { Scope } from "../resolve/scope.ts";
import type { DeliveryInput } from "../schema/delivery-schema.ts";
import { deliveryDefaults } from "./check-delivery.ts";

/** What the defaults cost is nothing to warn of. */
const MAX_UNWARNED = 1;

/** The two values that decide, either of which may be the one that was written. */
const DECIDING: readonly DocumentPath[] = [
  ["retry", "max_attempts"],
  ["circuit_breaker", "failure_threshold"],
];

/**
 * Where an outage of an actor may cost a route more than one event (docs/decisions/0010): attempts
 * that fail before the breaker opens are used up, ⌊(failure_threshold - 1) / max_attempts⌋ times.
 * Said where a route or `defaults.delivery` makes it so; a breaker that is switched off was meant
 * to be.
 */
export function outageWarnings(
  routes: readonly Declaration<"route">[],
  scopes: readonly Scope[],
  findings: Findings,
): void {
  const defaultsOf = deliveryDefaults();
  for (const scope of scopes) {
    const message = costOf(defaultsOf(scope));
    if (message === undefined) continue;
    for (const { document, path } of scope.defaults) {
      const place = decides(valueAt(document.value, [...path, "delivery"]));
      if (place === undefined) continue;
      const whole = [...path, "delivery", ...place];
      findings.warnings.push({ document, path: whole, at: "value", code: "outage-cost", message });
      break;
    }
  }
  for (const route of routes) {
    for (const path of [["delivery"], ["then", "delivery"]]) {
      const own = valueAt(route.value, path);
      const place = decides(own);
      if (place === undefined) continue;
      const message = costOf(mergeDelivery(defaultsOf(route.scope), own as DeliveryInput));
      if (message === undefined) continue;
      findings.warnings.push({ ...at(route, [...path, ...place]), code: "outage-cost", message });
    }
  }
}

/** The place in `own` where it says one of the two. */
function decides(own: unknown): DocumentPath | undefined {
  return isMapping(own) ? DECIDING.find((path) => valueAt(own, path) !== undefined) : undefined;
}

/** Undefined where it is little, or known only at run time. */
function costOf(asked: DeliveryInput): string | undefined {
  const { retry, circuit_breaker: breaker } = effectiveDelivery(asked);
  if (breaker === false) return undefined;
  const attempts: unknown = retry.max_attempts;
  const threshold: unknown = breaker.failure_threshold;
  if (typeof attempts !== "number" || typeof threshold !== "number") return undefined;
  const events = Math.floor((threshold - 1) / attempts);
  if (events <= MAX_UNWARNED) return undefined;
  return `an outage of the actor may cost this route ${events} events, as dead letters: the breaker opens at ${threshold} failures in a row, and max_attempts ${attempts} gives an event up before; raise max_attempts or lower failure_threshold`;
}
