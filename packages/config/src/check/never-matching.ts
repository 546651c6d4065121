import { type Contradiction, contradictions, holdsReference } from "@orgloop/engine";
import { isMapping, type RouteSpec } from "@orgloop/sdk";
import { canonicalJson } from "../plan/canonical-topology.ts";
import { at, type LinkedRoute, placeOf } from "../resolve/declarations.ts";
import type { Findings } from "../resolve/findings.ts";
import type { TopologyRoute } from "../resolve/topology-routes.ts";

/** The routes that are on. */
interface Routes {
  readonly routes: readonly LinkedRoute[];
  /** The same in the same order. */
  readonly specs: readonly TopologyRoute[];
  /** Types that events of a source can have, by its name, where that is known. */
  readonly emitted: ReadonlyMap<string, readonly string[]>;
}

/** Warns of routes that no event can take, and of those that do what another does already. */
export function warnOfNeverMatching({ routes, specs, emitted }: Routes, findings: Findings): void {
  for (const route of routes) {
    warnOfContradictions(route, findings);
    if (emitted.size > 0) warnOfTypes(route, emitted, findings);
  }
  warnOfDuplicates(routes, specs, findings);
}

const CODE = "never-matches";

function warnOfContradictions(route: LinkedRoute, findings: Findings): void {
  const { name, value, links } = route;
  const { filter } = value.when;
  if (!isMapping(filter) || isPlain(filter)) return;
  // What a reference stands for is known only at the moment of use.
  if (holdsReference(JSON.stringify(filter))) return;
  const when = { source: links.sources, events: [value.when.events].flat(), filter };
  for (const found of contradictions({ name, when } as unknown as RouteSpec)) {
    const what = found.branch ? "this branch" : "the route";
    const message = `${found.message}${againstOf(route, found)}: ${what} can never match`;
    findings.warnings.push({ ...at(route, found.place), code: CODE, message });
  }
}

/**
 * A filter that nothing can be wrong with, told at once: it has no choice, its paths are apart from
 * each other and from what `when` says, and each has a value that something is. Most are so, and
 * there may be thousands.
 */
function isPlain(filter: Readonly<Record<string, unknown>>): boolean {
  const paths = Object.keys(filter);
  return paths.every(
    (path) =>
      path !== "$or" &&
      path !== "source" &&
      path !== "type" &&
      isPossible(filter[path]) &&
      paths.every((other) => other === path || !(other.startsWith(path) && isBelow(other, path))),
  );
}

const isBelow = (other: string, path: string): boolean => /^[.\\]/.test(other.slice(path.length));

/** Whether something passes it alone: all but ranges of numbers, one of which may be empty. */
function isPossible(value: unknown): boolean {
  if (!Array.isArray(value)) return true;
  return value.some((one) => !isMapping(one) || !Object.hasOwn(one, "numeric"));
}

function againstOf(route: LinkedRoute, { against }: Contradiction): string {
  if (against === undefined) return "";
  const { document, path } = at(route, against);
  const { line, column } = document.locate(path);
  return ` (${document.file}:${line}:${column})`;
}

/** No type that it waits for is one that its sources can have. */
function warnOfTypes(
  route: LinkedRoute,
  emitted: ReadonlyMap<string, readonly string[]>,
  findings: Findings,
): void {
  const { sources } = route.links;
  const wanted = [route.value.when.events].flat();
  const known = sources.flatMap((id) => emitted.get(id) ?? []);
  if (!sources.every((id) => emitted.has(id)) || wanted.length === 0) return;
  if (wanted.some((type) => holdsReference(type) || known.includes(type))) return;
  const emits = [...new Set(known)].join(", ");
  const message = `${sources.join(", ")} emits ${emits}, and nothing else: the route can never match`;
  findings.warnings.push({ ...at(route, ["when", "events"]), code: CODE, message });
}

function warnOfDuplicates(
  routes: readonly LinkedRoute[],
  specs: readonly TopologyRoute[],
  findings: Findings,
): void {
  const alike = Map.groupBy(routes.keys(), (index) => whatItTakes(routes[index] as LinkedRoute));
  for (const group of alike.values()) {
    if (group.length === 1) continue;
    const firsts = new Map<string, LinkedRoute>();
    for (const index of group) {
      const route = routes[index] as LinkedRoute;
      const text = whatItDoes((specs[index] as TopologyRoute).spec);
      const first = firsts.get(text);
      if (first === undefined) {
        firsts.set(text, route);
        continue;
      }
      const message = `the route "${first.name}" (${placeOf(first)}) does exactly the same: whatever one takes is delivered twice`;
      findings.warnings.push({ ...at(route, ["name"]), code: "duplicate-route", message });
    }
  }
}

/** Alike for routes that take the same to the same actor: quickly made, for thousands. */
function whatItTakes({ links, value: { when } }: LinkedRoute): string {
  const filter = when.filter ?? {};
  const tests = Object.keys(filter)
    .sort()
    .map((path) => `${path}\0${JSON.stringify(filter[path])}`);
  return [links.actor, [...links.sources].sort().join("\0"), ...tests].join("\0");
}

/** All of a route but what it is called. */
function whatItDoes({ name: _, description: __, when, ...rest }: RouteSpec): string {
  const [source, events] = [when.source, when.events].map((list) => [...new Set(list)].sort());
  return canonicalJson({ ...rest, when: { ...when, source, events } });
}
