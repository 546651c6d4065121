import type { OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { compileFilter } from "./filter/compile-filter.ts";

/** Which routes take an event. */
export interface Matcher {
  /**
   * Every route whose source, type and filter fit, in the order of the configuration. A route whose filter fails is left out, and told to
   * `onFault`.
   */
  match(event: OrgLoopEvent, onFault?: OnFault): readonly RouteSpec[];
}

export type OnFault = (route: RouteSpec, error: unknown) => void;

/** Compiles the routes once; matching looks at each (v1alpha1, section 4). Throws `INVALID_FILTER`, naming the route. */
export function compileMatcher(routes: readonly RouteSpec[]): Matcher {
  const compiled = routes.map((route) => ({
    route,
    sources: new Set(route.when.source),
    types: new Set<string>(route.when.events),
    passes: compileFilter(route.when.filter ?? {}),
  }));
  return {
    match: (event, onFault = () => {}) =>
      compiled
        .filter(({ route, sources, types, passes }) => {
          if (!sources.has(event.source) || !types.has(event.type)) return false;
          try {
            return passes(event);
          } catch (error) {
            onFault(route, error);
            return false;
          }
        })
        .map(({ route }) => route),
  };
}
