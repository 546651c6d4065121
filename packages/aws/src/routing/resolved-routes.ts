import { compileMatcher, holdsReference, type Matcher, type Router } from "@orgloop/engine";
import { OrgLoopError, type RouteSpec, type SourceSpec, type Topology } from "@orgloop/sdk";
import type { Secrets } from "../functions/secrets.ts";

/** What routing asks of a Topology where references may stand. */
export type ResolvedRoutes = Pick<Router, "matcher" | "sources">;

/** `fixed`: no reference stands in them, so they are what they are. */
export type ResolvedRoutesOf =
  | { readonly fixed: ResolvedRoutes }
  | { readonly fixed?: undefined; readonly resolve: () => Promise<ResolvedRoutes> };

/**
 * Filters and keys with their references resolved, asked for by one batch after the other: a secret
 * that is set or changed counts within minutes. Where one is not set, or makes no filter, only the
 * events that could reach that route, or that are of that source, meet a fault. Rejects where
 * secrets cannot be read now.
 */
export function resolvedRoutes(
  { routes, sources }: Pick<Topology, "routes" | "sources">,
  secrets: Pick<Secrets, "resolveEach">,
): ResolvedRoutesOf {
  const open = routes.filter((route) => holdsReference(JSON.stringify(partOf(route))));
  const parts = open.map((route) => ({ item: `route "${route.name}"`, value: partOf(route) }));
  const keyed = sources.flatMap(({ id, key }) =>
    key !== undefined && holdsReference(key) ? [{ id, item: `source "${id}"`, value: key }] : [],
  );
  if (open.length === 0 && keyed.length === 0) {
    return {
      fixed: { matcher: compileMatcher(routes, { tolerant: true }), sources: byId(sources) },
    };
  }
  let before: string | undefined;
  let matcher: Matcher | undefined;
  let resolved: ResolvedRoutes;

  async function resolve(): Promise<ResolvedRoutes> {
    const ofRoutes = await secrets.resolveEach(parts);
    const ofKeys = await secrets.resolveEach(keyed);
    const text = JSON.stringify([ofRoutes, ofKeys].map((all) => all.map(messageOrValue)));
    if (text === before) return resolved;
    before = text;
    const answers = new Map(open.map((route, at) => [route, ofRoutes[at] ?? {}]));
    const faults = new Map<string, Error>();
    const all = routes.map((route) => {
      const part = answers.get(route);
      if (part instanceof OrgLoopError) faults.set(route.name, part);
      else if (part !== undefined) return withPart(route, part);
      return route;
    });
    matcher = compileMatcher(all, { earlier: matcher, faults, tolerant: true });
    const keys = new Map(keyed.map(({ id }, at) => [id, ofKeys[at]]));
    resolved = {
      matcher: keys.size === 0 ? matcher : withKeys(matcher, keys),
      sources: new Map(
        sources.map((source) => {
          const key = keys.get(source.id);
          return [source.id, typeof key === "string" ? { ...source, key } : source];
        }),
      ),
    };
    return resolved;
  }

  return { resolve };
}

const byId = (sources: readonly SourceSpec[]): ResolvedRoutes["sources"] =>
  new Map(sources.map((source) => [source.id, source]));

interface RoutePart {
  readonly when?: RouteSpec["when"];
  readonly key?: string;
}

function partOf({ when, delivery: { key } }: RouteSpec): RoutePart {
  return { when, ...(key !== undefined && { key }) };
}

function withPart(route: RouteSpec, { when = route.when, key }: RoutePart): RouteSpec {
  const delivery = key === undefined ? route.delivery : { ...route.delivery, key };
  return { ...route, when, delivery };
}

/** What a route takes of a source whose key is not known must not go out of order. */
function withKeys(
  { match }: Matcher,
  keys: ReadonlyMap<string, string | OrgLoopError | undefined>,
): Matcher {
  return {
    match(event, onFault) {
      const routes = match(event, onFault);
      const key = keys.get(event.source);
      if (!(key instanceof OrgLoopError)) return routes;
      for (const route of routes) onFault?.(route, key);
      return [];
    },
  };
}

function messageOrValue<Value>(answer: Value | OrgLoopError): Value | string {
  return answer instanceof OrgLoopError ? answer.message : answer;
}
