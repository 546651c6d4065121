import type { OrgLoopEvent, RouteSpec, SourceSpec } from "@orgloop/sdk";
import { holdsReference } from "../settings/references.ts";
import { keyAt } from "./route-event.ts";

/**
 * What a bus keeps in order of a source: the events of one ordering key, or all of them. One group
 * is handled one event after the other.
 */
export type BusGrouping = "key" | "source";

export interface GroupedSource {
  readonly by: BusGrouping;
  /** The route that makes it one group; null: none does. */
  readonly because: string | null;
}

type Grouped = Pick<SourceSpec, "id" | "key">;

/**
 * How the events of a source are grouped on a bus that orders by groups: by its own ordering key
 * where that is all that its routes need, else by the source alone. A route needs more with
 * `order: route`, or with a `delivery.key` of its own.
 */
export function busGrouping(source: Grouped, routes: readonly RouteSpec[]): GroupedSource {
  const holding = routes.find(({ when, delivery: { order, key } }) => {
    if (order === "none") return false;
    if (order === "key" && key === undefined) return false;
    return [when.source].flat().includes(source.id);
  });
  if (holding !== undefined) return { by: "source", because: holding.name };
  // Who puts events on the bus does not resolve references.
  const isOpen = source.key !== undefined && holdsReference(source.key);
  return { by: isOpen ? "source" : "key", because: null };
}

/**
 * The ordering key that an event is grouped by: the source's, else what its connector gave; null:
 * it has none, and is grouped by its source alone.
 */
export function busKey(event: OrgLoopEvent, source: Grouped | undefined): string | null {
  const key = keyAt(event, source?.key) ?? event.ordering_key;
  return key === undefined || key === event.source ? null : key;
}

/** A source that is grouped otherwise by another topology. */
export interface GroupingChange {
  readonly source: string;
  readonly from: BusGrouping;
  readonly to: GroupedSource;
}

interface Grouping {
  readonly sources: readonly Grouped[];
  readonly routes: readonly RouteSpec[];
}

/** Of the sources that both have. */
export function groupingChanges(before: Grouping, after: Grouping): readonly GroupingChange[] {
  const known = new Map(before.sources.map((source) => [source.id, source]));
  const routesBefore = routesBySource(before.routes);
  const routesAfter = routesBySource(after.routes);
  return after.sources.flatMap((source) => {
    const was = known.get(source.id);
    if (was === undefined) return [];
    const from = busGrouping(was, routesBefore.get(source.id) ?? []).by;
    const to = busGrouping(source, routesAfter.get(source.id) ?? []);
    return from === to.by ? [] : [{ source: source.id, from, to }];
  });
}

/** Of 2,000 sources, not each asks 10,000 routes. */
export function routesBySource(
  routes: readonly RouteSpec[],
): ReadonlyMap<string, readonly RouteSpec[]> {
  const found = new Map<string, RouteSpec[]>();
  for (const route of routes) {
    for (const id of [route.when.source].flat()) {
      const of = found.get(id);
      if (of === undefined) found.set(id, [route]);
      else of.push(route);
    }
  }
  return found;
}
