import { getPath, type OrgLoopEvent, setPath, splitPath, type Transform } from "@orgloop/sdk";
import { parseComparison } from "./comparison.ts";
import type { EnrichConfig } from "./config.ts";

/**
 * One step of an enrichment: the event so far → the value to put in, undefined to leave the event
 * as it is.
 */
interface Step {
  readonly path: readonly string[];
  readonly compute: (event: unknown) => unknown;
}

/**
 * Adds, copies and computes fields (v1alpha1, section 5) on a copy of the event; each step sees the
 * ones before it.
 */
export function enrichTransform(config: EnrichConfig): Transform {
  const steps: Step[] = [
    ...Object.entries(config.set).map(([path, value]) => step(path, () => value)),
    ...Object.entries(config.copy).map(([path, from]) => {
      const source = splitPath(from);
      return step(path, (event) => getPath(event, source));
    }),
    ...Object.entries(config.compute).map(([path, expression]) =>
      step(path, parseComparison(expression)),
    ),
  ];
  return {
    inline: true,
    async execute(event) {
      let enriched: unknown = event;
      for (const { path, compute } of steps) {
        const value = compute(enriched);
        if (value !== undefined) enriched = setPath(enriched, path, value);
      }
      return enriched as OrgLoopEvent;
    },
  };
}

function step(path: string, compute: Step["compute"]): Step {
  return { path: splitPath(path), compute };
}
