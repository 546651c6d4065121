import type { LogEntry, OrgLoopEvent, Prompt, RouteSpec, SourceSpec } from "@orgloop/sdk";
import { auditEntry, auditOutput } from "./audit-output.ts";
import type { Delivery } from "./delivery.ts";
import { fillRoute, type OnMissing } from "./fill-route.ts";
import type { Matcher } from "./match.ts";
import { orderingKey } from "./ordering-key.ts";
import { applyTransforms, type RouteTransform } from "./transform.ts";

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

/** What became of an event: what is to be delivered, and the routes that are settled because a transform ended them. */
export interface RoutedEvent {
  readonly deliveries: readonly Delivery[];
  readonly ended: readonly { readonly route: string; readonly by: "drop" | "halt" }[];
  /** Names of all routes that matched, settled before or not. */
  readonly matched: readonly string[];
}

/**
 * Match, then for each matching route in the order of the configuration its transforms on the original event (v1alpha1,
 * section 4). Routes in `settled` were done with before a restart and are left out.
 */
export async function routeEvent(
  event: OrgLoopEvent,
  router: Router,
  settled: ReadonlySet<string> = new Set(),
): Promise<RoutedEvent> {
  const base = {
    event_id: event.id,
    trace_id: event.trace_id,
    source: event.source,
    event_type: event.type,
  };
  const routes = router.matcher.match(event);
  if (routes.length === 0) router.log({ ...base, phase: "route.no_match" });
  const deliveries: Delivery[] = [];
  const ended: { route: string; by: "drop" | "halt" }[] = [];
  for (const route of routes) {
    if (settled.has(route.name)) continue;
    const where = { ...base, route: route.name, target: route.then.actor };
    router.log({ ...where, phase: "route.match" });
    const result = await applyTransforms(event, router.transformsOf(route), router.now, (entry) =>
      router.log({ ...where, ...entry }),
    );
    if (result.kind !== "pass") {
      ended.push({ route: route.name, by: result.kind });
      continue;
    }
    const template = route.then.config;
    const { config, prompt } = fillRoute(
      { route: route.name, config: template, prompt: router.promptOf(route) },
      result.event,
      router.onMissing,
    );
    const promptMeta = prompt?.meta ?? null;
    for (const flag of auditOutput({ template, config, event: result.event, promptMeta })) {
      router.log({ ...where, ...auditEntry(flag) });
    }
    deliveries.push({
      event: result.event,
      route: route.name,
      actor: route.then.actor,
      orderingKey: orderingKey(event, route, router.sources.get(event.source)),
      config,
      ...(prompt === undefined ? {} : { prompt }),
      replay: event.replay ?? 0,
    });
  }
  return { deliveries, ended, matched: routes.map((route) => route.name) };
}
