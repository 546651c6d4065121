import {
  getPath,
  type OrgLoopEvent,
  type RouteSpec,
  type SourceSpec,
  splitPath,
} from "@orgloop/sdk";

function keyAt(event: OrgLoopEvent, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const value = getPath(event, splitPath(path));
  if (value === undefined || value === null) return undefined;
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * By what an event is ordered on a route: `delivery.key`, else the source's `key`, else what the
 * connector gave, else the source's id. A path that leads nowhere in this event counts as not set
 * (`docs/configuration.md`, the ordering key).
 */
export function orderingKey(
  event: OrgLoopEvent,
  route: RouteSpec,
  source: SourceSpec | undefined,
): string {
  return (
    keyAt(event, route.delivery.key) ??
    keyAt(event, source?.key) ??
    event.ordering_key ??
    event.source
  );
}
