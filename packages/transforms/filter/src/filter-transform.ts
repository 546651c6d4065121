import type { OrgLoopEvent, Transform } from "@orgloop/sdk";
import type { FilterConfig } from "./config.ts";
import { compileCriteria } from "./criteria.ts";

/**
 * Drops events (v1alpha1, section 5): exclude, then match, then match_any; `jq` replaces all three.
 */
export async function filterTransform(config: FilterConfig): Promise<Transform> {
  if (config.jq) return (await import("./jq-transform.ts")).jqTransform(config.jq);
  const exclude = await compileCriteria(config.exclude ?? {});
  const match = await compileCriteria(config.match ?? {});
  const matchAny = config.match_any && (await compileCriteria(config.match_any));
  const passes = (event: OrgLoopEvent) =>
    !exclude.some((matches) => matches(event)) &&
    match.every((matches) => matches(event)) &&
    (matchAny === undefined || matchAny.some((matches) => matches(event)));
  return {
    inline: true,
    execute: async (event) => (passes(event) ? event : null),
  };
}
