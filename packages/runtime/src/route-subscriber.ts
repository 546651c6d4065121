import { type RoutedEvent, type Router, routeEvent } from "@orgloop/core";
import {
  type EventHandler,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { ActorDeliverer } from "./actor-deliverer.ts";
import type { Bury } from "./burial.ts";
import { unroutableLetter } from "./dead-letter.ts";
import type { EventHistory } from "./event-history.ts";
import type { Settlement } from "./settlement.ts";

export interface RouteSubscriberOptions {
  readonly router: Router;
  readonly routes: ReadonlyMap<string, RouteSpec>;
  readonly deliverers: ReadonlyMap<string, ActorDeliverer>;
  readonly settlement: Settlement;
  readonly bury: Bury;
  readonly activity: Activity;
  readonly history: EventHistory;
  readonly project: string;
  /** Aborted when a drain gives up on what is under way. */
  readonly abandon: AbortSignal;
}

/**
 * Takes events from the bus: routes them and puts their deliveries in the actors' queues. Pending while a queue is full. The event is
 * acked when every route that matched is settled: delivered, ended by a transform, or a durable dead letter.
 */
export function routeSubscriber(options: RouteSubscriberOptions): EventHandler {
  const { router, deliverers, settlement, activity } = options;
  return async (event, receipt) => {
    const startedMs = router.now();
    let routed: RoutedEvent;
    try {
      routed = await routeEvent(event, router, receipt.settled);
    } catch (error) {
      return buryUnroutable(event, error, options);
    }
    // Its transforms were cut short: what they seem to have dropped must come again.
    if (options.abandon.aborted) throw new OrgLoopError("DRAINING", "the process is stopping");
    const { deliveries, ended, matched } = routed;
    activity.matched(matched, startedMs);
    record(event, matched, startedMs, options);
    let unsettled = deliveries.length;
    if (unsettled === 0) return settlement.ack(event);
    for (const { route } of ended) settlement.settle(event, route);
    await Promise.all(
      deliveries.map((delivery) => {
        const deliverer = deliverers.get(delivery.actor) as ActorDeliverer;
        return deliverer.push(delivery, () => {
          unsettled -= 1;
          if (unsettled === 0) settlement.ack(event);
          else settlement.settle(event, delivery.route);
        });
      }),
    );
  };
}

/** An event that makes routing itself fail would come back for ever and hold up its source. */
async function buryUnroutable(
  event: OrgLoopEvent,
  error: unknown,
  { router, bury, settlement }: RouteSubscriberOptions,
): Promise<void> {
  const message = `routing failed: ${messageOf(error)}`;
  const { id: event_id, trace_id, source } = event;
  router.log({ phase: "system.error", event_id, trace_id, source, error: message });
  if (!(await bury(unroutableLetter(event, message, router.now())))) {
    throw new OrgLoopError("DRAINING", "the process is stopping", { cause: error });
  }
  settlement.ack(event);
}

function record(
  event: OrgLoopEvent,
  matched: readonly string[],
  startedMs: number,
  { router, routes, history, project }: RouteSubscriberOptions,
): void {
  const specs = matched.map((name) => routes.get(name) as RouteSpec);
  history.add({
    event_id: event.id,
    timestamp: event.timestamp,
    source: event.source,
    type: event.type,
    matched_routes: matched,
    sop_files: specs.flatMap((spec) => spec.with?.prompt.file ?? []),
    actors: [...new Set(specs.map((spec) => spec.then.actor))],
    processing_ms: router.now() - startedMs,
    module: project,
    trace_id: event.trace_id,
  });
}
