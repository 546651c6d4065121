import type { OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { compileFilter } from "./filter/compile-filter.ts";

/** Which routes take an event. */
export interface Matcher {
  /** Every route whose source, type and filter fit, in the order of the configuration. */
  match(event: OrgLoopEvent): readonly RouteSpec[];
}

/** Compiles the routes once; matching looks at each (v1alpha1, section 4). Throws `INVALID_FILTER`, naming the route. */
export function compileMatcher(routes: readonly RouteSpec[]): Matcher {
  const compiled = routes.map((route) => ({
    route,
    sources: new Set(route.when.source),
    types: new Set<string>(route.when.events),
    passes: compileFilter(route.when.filter ?? {}),
  }));
  return {
    match: (event) =>
      compiled
        .filter(
          ({ sources, types, passes }) =>
            sources.has(event.source) && types.has(event.type) && passes(event),
        )
        .map(({ route }) => route),
  };
}
