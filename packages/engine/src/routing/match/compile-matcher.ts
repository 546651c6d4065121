import { hasCode, messageOf, OrgLoopError, type OrgLoopEvent, type RouteSpec } from "@orgloop/sdk";
import { compileFilter } from "./compile-filter.ts";

/** Which routes take an event. */
export interface Matcher {
  /**
   * Every route whose source, type and filter fit, in the order of the configuration. A route whose
   * filter fails is left out, and told to `onFault`.
   */
  match(event: OrgLoopEvent, onFault?: OnFault): readonly RouteSpec[];
}

export type OnFault = (route: RouteSpec, error: unknown) => void;

/** A route whose filter is compiled. */
export interface CompiledRoute {
  readonly route: RouteSpec;
  readonly sources: ReadonlySet<string>;
  readonly types: ReadonlySet<string>;
  readonly passes: (event: OrgLoopEvent) => boolean;
}

/** Throws `INVALID_FILTER`, naming the route. */
export function compileRoute(route: RouteSpec): CompiledRoute {
  try {
    return matched(route, compileFilter(route.when.filter ?? {}));
  } catch (cause) {
    if (!hasCode(cause, "INVALID_FILTER")) throw cause;
    const message = `route "${route.name}": when.filter.${messageOf(cause)}`;
    throw new OrgLoopError("INVALID_FILTER", message, { cause });
  }
}

/**
 * A route that has no filter to ask, which is a fault of every event that its source and type let
 * through.
 */
export function faultyRoute(route: RouteSpec, error: Error): CompiledRoute {
  return matched(route, () => {
    throw error;
  });
}

function matched(route: RouteSpec, passes: CompiledRoute["passes"]): CompiledRoute {
  const { source, events } = route.when;
  return { route, sources: new Set(source), types: new Set<string>(events), passes };
}

/** Matching looks at each route (v1alpha1, section 4). */
export function matcherOf(compiled: readonly CompiledRoute[]): Matcher {
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

/** Compiles the routes once. Throws `INVALID_FILTER`, naming the route. */
export function compileMatcher(routes: readonly RouteSpec[]): Matcher {
  return matcherOf(routes.map(compileRoute));
}
