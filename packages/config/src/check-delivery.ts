import type { Declaration } from "./declarations.ts";
import type { DocumentPath } from "./document-path.ts";
import { isMapping, valueAt } from "./document-path.ts";
import { cappedTooLow, mergeDelivery } from "./effective-delivery.ts";
import type { Findings } from "./findings.ts";
import type { DeliveryInput } from "./schema/delivery-schema.ts";
import type { DefaultsInput } from "./schema/project-schema.ts";
import type { SourceDocument } from "./source-document.ts";

const CAPPED = ["retry", "circuit_breaker"];

/**
 * What no single value shows: a `delivery` beside and under `then`; caps shorter than what they cap, after
 * `defaults.delivery` is merged in: an error where the route says one of them.
 */
export function checkDelivery(
  routes: readonly Declaration<"route">[],
  manifest: SourceDocument,
  defaults: DefaultsInput,
  findings: Findings,
): void {
  const report = (
    document: SourceDocument,
    base: DocumentPath,
    own: unknown,
    asked: DeliveryInput,
  ) => {
    for (const { block, low, cap, message } of cappedTooLow(asked)) {
      const key = valueAt(own, [block, cap]) === undefined ? low : cap;
      if (valueAt(own, [block, key]) === undefined) continue;
      const path = [...base, block, key];
      findings.errors.push({ document, path, at: "value", code: "cap-too-low", message });
    }
  };
  const base = isMapping(defaults.delivery) ? defaults.delivery : {};
  report(
    manifest,
    ["defaults", "delivery"],
    valueAt(manifest.value, ["defaults", "delivery"]),
    base,
  );
  for (const { value, document, path } of routes) {
    if (
      valueAt(value, ["delivery"]) !== undefined &&
      valueAt(value, ["then", "delivery"]) !== undefined
    ) {
      const message = "delivery stands here and under then: keep one of them";
      const at = { path: [...path, "delivery"], at: "key" } as const;
      findings.errors.push({ document, ...at, code: "two-deliveries", message });
    }
    for (const beside of [["delivery"], ["then", "delivery"]]) {
      const own = valueAt(value, beside);
      if (!isMapping(own) || !CAPPED.some((block) => isMapping(own[block]))) continue;
      report(document, [...path, ...beside], own, mergeDelivery(base, own as DeliveryInput));
    }
  }
}
