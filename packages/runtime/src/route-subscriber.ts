import {
  isBuried,
  isUnroutable,
  matcherFor,
  offBus,
  type RoutedEvent,
  routeEvent,
  unroutableLetter,
} from "@orgloop/core";
import {
  type DeadLetterStore,
  type EventHandler,
  type LogEntry,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type Receipt,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import { type AttemptStarts, startKey } from "./attempt-starts.ts";
import type { Bury } from "./burial.ts";
import type { EventHistory } from "./event-history.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { Current, Generation } from "./generation.ts";
import type { Push } from "./inbox.ts";
import type { LoopGuard } from "./loop-guard.ts";
import type { Settlement } from "./settlement.ts";

export interface RouteSubscriberOptions {
  readonly current: Current;
  readonly now: () => number;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Gives a delivery a place: an inbox, or its actor's queue. */
  readonly push: Push;
  readonly settlement: Settlement;
  readonly bury: Bury;
  readonly deadLetters: DeadLetterStore;
  readonly activity: Activity;
  readonly history: EventHistory;
  readonly recorder: EventRecorder;
  readonly starts: AttemptStarts;
  readonly loops: LoopGuard;
  readonly project: string;
  /** Aborted when a drain gives up on what is under way. */
  readonly abandon: AbortSignal;
}

/** An event whose routing the process did not survive so often, after it came back, is given up. */
const MAX_DEATHS = 3;

/**
 * Takes events from the bus: routes them and puts their deliveries in the actors' queues. Pending while a queue is full. The event is
 * acked when every route that matched is settled: delivered, ended by a transform, or a durable dead letter.
 */
export function routeSubscriber(options: RouteSubscriberOptions): EventHandler {
  const { current, push, settlement, activity } = options;

  async function take(
    held: OrgLoopEvent,
    receipt: Receipt,
    { router, routes }: Generation,
  ): Promise<void> {
    const { event, target } = offBus(held);
    const startedMs = options.now();
    const returned = receipt.attempt > 1;
    if (returned && (await isUnroutable(event, options.deadLetters).catch(() => false))) {
      return settlement.ack(held);
    }
    const loop = options.loops(event);
    if (loop !== null) {
      // Dropped on every route: a replay of a time range leaves it, one by its id does not.
      const routes = router.matcher.match(event).map(({ name }) => name);
      options.recorder.record(event, routes);
      return buryWhole(held, loop, options);
    }
    const key = startKey(event.id, event.replay ?? 0);
    const deaths = returned ? options.starts.deaths(key) : 0;
    let routed: RoutedEvent;
    try {
      if (deaths >= MAX_DEATHS) throw new Error(`the process ended ${deaths} times meanwhile`);
      if (returned) await options.starts.begin(key, options.abandon).catch(() => undefined);
      const { matcher, ...rest } = router;
      const chosen = target === null ? matcher : matcherFor(target, matcher);
      routed = await routeEvent(
        event,
        { ...rest, onMissing: activity.missing, matcher: chosen },
        receipt.settled,
      );
    } catch (error) {
      options.recorder.record(event, []);
      return buryUnroutable(held, error, options);
    } finally {
      if (returned) options.starts.end(key);
    }
    // Its transforms were cut short: what they seem to have dropped must come again.
    if (options.abandon.aborted) throw new OrgLoopError("DRAINING", "the process is stopping");
    const { deliveries, ended, matched } = routed;
    const dropped = ended.filter(({ by }) => by === "drop").map(({ route }) => route);
    options.recorder.record(event, dropped);
    activity.matched(matched, startedMs);
    record(event, matched, startedMs, routes.byName, options);
    let unsettled = deliveries.length;
    if (matched.length === 0) return settlement.ackUnmatched(held);
    if (unsettled === 0) return settlement.ack(held);
    for (const { route } of ended) settlement.settle(held, route);
    await Promise.all(
      deliveries.map(async (delivery) => {
        const settled = (): void => {
          unsettled -= 1;
          if (unsettled === 0) settlement.ack(held);
          else settlement.settle(held, delivery.route);
        };
        if (returned && (await isBuried(delivery, options.deadLetters).catch(() => false))) {
          return settled();
        }
        const matched = routes.policies.get(delivery.actor);
        return push(delivery, settled, { returned, matched });
      }),
    );
  }

  return (held, receipt) => {
    const generation = current();
    return generation.use(() => take(held, receipt, generation));
  };
}

/** An event that makes routing itself fail would come back for ever and hold up its source. */
async function buryUnroutable(
  held: OrgLoopEvent,
  error: unknown,
  options: RouteSubscriberOptions,
): Promise<void> {
  const message = `routing failed: ${messageOf(error)}`;
  const { id: event_id, trace_id, source } = offBus(held).event;
  options.log({ phase: "system.error", event_id, trace_id, source, error: message });
  await buryWhole(held, message, options);
}

/** One letter for the event, whatever routes it would have taken. */
async function buryWhole(
  held: OrgLoopEvent,
  why: string,
  { now, bury, settlement }: RouteSubscriberOptions,
): Promise<void> {
  if (!(await bury(unroutableLetter(offBus(held).event, why, now())))) {
    throw new OrgLoopError("DRAINING", "the process is stopping");
  }
  settlement.ack(held);
}

function record(
  event: OrgLoopEvent,
  matched: readonly string[],
  startedMs: number,
  routes: ReadonlyMap<string, RouteSpec>,
  { now, history, project }: RouteSubscriberOptions,
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
    processing_ms: now() - startedMs,
    module: project,
    trace_id: event.trace_id,
  });
}
