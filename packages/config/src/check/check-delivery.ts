import { type DocumentPath, valueAt } from "@orgloop/engine";
import { isMapping } from "@orgloop/sdk";
import { oncePerValue } from "../read/once-per-value.ts";
import { at, type Declaration } from "../resolve/declarations.ts";
import { cappedTooLow, mergeDelivery } from "../resolve/effective-delivery.ts";
import type { Findings } from "../resolve/findings.ts";
import { mergeLayers } from "../resolve/layer.ts";
import { oncePerScope, type Scope } from "../resolve/scope.ts";
import type { DeliveryInput } from "../schema/delivery-schema.ts";
import type { DefaultsInput } from "../schema/project-schema.ts";

const CAPPED = ["retry", "circuit_breaker"];

/** `defaults.delivery` of a scope, computed once. */
export const deliveryDefaults = () =>
  oncePerScope((scope): DeliveryInput => {
    const { delivery } = mergeLayers(scope.defaults) as DefaultsInput;
    return isMapping(delivery) ? (delivery as DeliveryInput) : {};
  });

/** The paths at which `own` itself says what is capped too low in `asked`. */
function saidTooLow(own: unknown, asked: DeliveryInput): { path: DocumentPath; message: string }[] {
  return cappedTooLow(asked).flatMap(({ block, low, cap, message }) => {
    const key = valueAt(own, [block, cap]) === undefined ? low : cap;
    return valueAt(own, [block, key]) === undefined ? [] : [{ path: [block, key], message }];
  });
}

/**
 * What no single value shows: a `delivery` beside and under `then`; caps shorter than what they
 * cap, after `defaults.delivery` is merged in: an error where the route says one of them.
 */
export function checkDelivery(
  routes: readonly Declaration<"route">[],
  scopes: readonly Scope[],
  findings: Findings,
): void {
  const defaultsOf = deliveryDefaults();
  const tooLowIn = oncePerScope((scope) => {
    const defaults = defaultsOf(scope);
    return oncePerValue((own) => saidTooLow(own, mergeDelivery(defaults, own as DeliveryInput)));
  });
  for (const scope of scopes) {
    const asked = defaultsOf(scope);
    const layer = scope.defaults.find(
      ({ document, path }) =>
        saidTooLow(valueAt(document.value, [...path, "delivery"]), asked).length > 0,
    );
    if (layer === undefined) continue;
    const own = valueAt(layer.document.value, [...layer.path, "delivery"]);
    for (const { path, message } of saidTooLow(own, asked)) {
      findings.errors.push({
        document: layer.document,
        path: [...layer.path, "delivery", ...path],
        at: "value",
        code: "cap-too-low",
        message,
      });
    }
  }
  for (const route of routes) {
    const { value, scope } = route;
    const beside: unknown = value.delivery;
    const under: unknown = isMapping(value.then) ? value.then.delivery : undefined;
    if (beside === undefined && under === undefined) continue;
    if (beside !== undefined && under !== undefined) {
      const message = "delivery stands here and under then: keep one of them";
      findings.errors.push({
        ...at(route, ["delivery"]),
        at: "key",
        code: "two-deliveries",
        message,
      });
    }
    for (const [own, path] of [
      [beside, ["delivery"]],
      [under, ["then", "delivery"]],
    ] as const) {
      if (!isMapping(own) || !CAPPED.some((block) => isMapping(own[block]))) continue;
      for (const { path: low, message } of tooLowIn(scope)(own)) {
        findings.errors.push({ ...at(route, [...path, ...low]), code: "cap-too-low", message });
      }
    }
  }
}
