import {
  getPath,
  type LogEntry,
  messageOf,
  NO_ROUTES,
  type OrgLoopEvent,
  type Prompt,
  type RouteSpec,
  type SourceSpec,
  splitPath,
} from "@orgloop/sdk";
import type { Delivery } from "../delivery/delivery.ts";
import { auditEntry, auditOutput } from "./audit-output.ts";
import { fillRoute, type OnMissing } from "./fill-route.ts";
import type { Matcher } from "./match/compile-matcher.ts";
import type { EndedRoute, LanedRoute, RoutedEvent, RouteFault } from "./routed-route.ts";
import { applyTransforms, type RouteTransform, type TransformResult } from "./transforms.ts";

/** What routing needs of a compiled topology. */
export interface Router {
  readonly matcher: Matcher;
  readonly sources: ReadonlyMap<string, SourceSpec>;
  /** The route's transforms, bound by the host; in order. */
  readonly transformsOf: (route: RouteSpec) => readonly RouteTransform[];
  readonly promptOf: (route: RouteSpec) => Prompt | undefined;
  readonly now: () => number;
  /** Told of placeholders that lead nowhere. */
  readonly onMissing?: OnMissing | undefined;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
}

/**
 * Match, then for each matching route in the order of the configuration its transforms on the
 * original event (v1alpha1, section 4). Routes in `settled` were done with before a restart and are
 * left out. What fails on one route, its filter included, is that route's fault: the others go on.
 */
export async function routeEvent(
  event: OrgLoopEvent,
  router: Router,
  settled: ReadonlySet<string> = NO_ROUTES,
): Promise<RoutedEvent> {
  const faults: RouteFault[] = [];
  const routes = router.matcher.match(event, (route, error) => {
    if (!settled.has(route.name)) faults.push(faultOf(untransformed(event, route), error));
  });
  if (routes.length + faults.length === 0) {
    router.log({ ...entryOf(event), phase: "route.no_match" });
  }
  const begun: (EndedRoute | LanedRoute)[] = [];
  for (const route of routes) {
    if (settled.has(route.name)) continue;
    const result = beginRoute(event, route, router);
    begun.push(result instanceof Promise ? await result : result);
  }
  const names = routes.map((route) => route.name);
  return {
    routes: faults.length === 0 ? begun : [...begun, ...faults],
    matched: faults.length === 0 ? names : [...names, ...faults.map((one) => one.delivery.route)],
  };
}

/** Not async: most routes have no transforms, and need not be waited for. */
function beginRoute(
  event: OrgLoopEvent,
  route: RouteSpec,
  router: Router,
): EndedRoute | LanedRoute | Promise<EndedRoute | LanedRoute> {
  const about = { ...entryOf(event), route: route.name, target: route.then.actor };
  const log: Router["log"] = (entry) => router.log({ ...about, ...entry });
  try {
    log({ phase: "route.match" });
    const key = orderingKey(event, route, router.sources.get(event.source));
    const transforms = router.transformsOf(route);
    if (transforms.length === 0) return deliveryOf(event, route, key, router, log);
    return transformRoute({ event, route, key, transforms, router, log });
  } catch (error) {
    return faultOf(untransformed(event, route), error);
  }
}

interface BegunRoute {
  readonly event: OrgLoopEvent;
  readonly route: RouteSpec;
  readonly key: string;
  readonly transforms: readonly RouteTransform[];
  readonly router: Router;
  readonly log: Router["log"];
}

/** Runs what is inline; the rest, from the first that is not, is for the lane. */
async function transformRoute(begun: BegunRoute): Promise<EndedRoute | LanedRoute> {
  const { event, route, key, transforms, router, log } = begun;
  const slow = transforms.findIndex(({ inline }) => !inline);
  const inline = slow === -1 ? transforms : transforms.slice(0, slow);
  const first = await applyTransforms(event, inline, router.now, log);
  if (slow === -1 || first.kind !== "pass") return endOf(first, begun);
  const run = async (): Promise<EndedRoute> => {
    const rest = await applyTransforms(first.event, transforms.slice(slow), router.now, log);
    return endOf(rest, begun);
  };
  return { kind: "in lane", delivery: untransformed(event, route, key), run };
}

function endOf(result: TransformResult, begun: BegunRoute): EndedRoute {
  const { event, route, key, router, log } = begun;
  if (result.kind !== "pass") return { kind: "ended", route: route.name, by: result.kind };
  try {
    return deliveryOf(result.event, route, key, router, log);
  } catch (error) {
    return faultOf(untransformed(event, route, key), error);
  }
}

function deliveryOf(
  event: OrgLoopEvent,
  route: RouteSpec,
  key: string,
  router: Router,
  log: Router["log"],
): EndedRoute {
  const template = route.then.config;
  const { config, prompt } = fillRoute(
    { route: route.name, config: template, prompt: router.promptOf(route) },
    event,
    router.onMissing,
  );
  const promptMeta = prompt?.meta ?? null;
  for (const flag of auditOutput({ template, config, event, promptMeta })) log(auditEntry(flag));
  const delivery = {
    event,
    route: route.name,
    actor: route.then.actor,
    orderingKey: key,
    config,
    ...(prompt === undefined ? {} : { prompt }),
    replay: event.replay ?? 0,
  };
  return { kind: "delivery", delivery };
}

/** `key`: where it could be made. */
function untransformed(
  event: OrgLoopEvent,
  { name: route, then: { actor } }: RouteSpec,
  key = event.ordering_key ?? event.source,
): Delivery {
  const { replay = 0 } = event;
  return { event, route, actor, orderingKey: key, config: {}, replay, untransformed: true };
}

function faultOf(delivery: Delivery, error: unknown): RouteFault {
  return { kind: "fault", delivery, error: messageOf(error) };
}

function entryOf({ id, trace_id, source, type }: OrgLoopEvent) {
  return { event_id: id, trace_id, source, event_type: type };
}

export function keyAt(event: OrgLoopEvent, path: string | undefined): string | undefined {
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
