import {
  isUnroutable,
  matcherFor,
  offBus,
  type RoutedEvent,
  type Router,
  routeEvent,
  unroutableLetter,
} from "@orgloop/engine";
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
import type { Current, Generation } from "../apply/generation.ts";
import { type AttemptStarts, startKey } from "../delivery/attempt-starts.ts";
import type { Bury } from "../delivery/burial.ts";
import type { Settled } from "../delivery/push-options.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { EventHistory } from "../telemetry/event-history.ts";
import type { EventRecorder } from "../telemetry/event-recorder.ts";
import type { LoopGuard } from "./loop-guard.ts";
import type { PlaceRouted } from "./place-routed.ts";
import type { Settlement } from "./settlement.ts";
import { unendedRoutes } from "./unended-routes.ts";

export interface RouteSubscriberOptions {
  readonly current: Current;
  readonly clock: Pick<Clock, "now" | "wall">;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly place: PlaceRouted["place"];
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
 * Takes events from the bus: routes them and gives what comes of each a place, in the actors' queues and their lanes. Pending while a
 * queue is full. The event is acked when every route that matched is settled: delivered, ended by a transform, or a durable dead letter.
 */
export function routeSubscriber(options: RouteSubscriberOptions): EventHandler {
  const { current, settlement, activity, abandon } = options;

  async function take(held: OrgLoopEvent, receipt: Receipt, generation: Generation): Promise<void> {
    const { event, target } = offBus(held);
    const startedMs = options.clock.now();
    const returned = receipt.attempt > 1;
    if (returned && (await isUnroutable(event, options.deadLetters).catch(() => false))) {
      return settlement.ack(held);
    }
    const { router } = generation;
    const loop = options.loops(event);
    if (loop !== null) {
      // Dropped on every route: a replay of a time range leaves it, one by its id does not.
      const routes = router.matcher.match(event).map(({ name }) => name);
      options.recorder.record(event, routes);
      return buryWhole(held, loop, options);
    }
    const matcher = target === null ? router.matcher : matcherFor(target, router.matcher);
    let routed: RoutedEvent;
    try {
      const chosen: Router = { ...router, onMissing: activity.missing, matcher };
      const run = () => routeEvent(event, chosen, receipt.settled);
      routed = returned ? await survived(event, run) : await run();
    } catch (error) {
      options.recorder.record(event, []);
      return buryUnroutable(held, error, options);
    }
    // Its transforms were cut short: what they seem to have dropped must come again.
    if (abandon.aborted) throw new OrgLoopError("DRAINING", "the process is stopping");
    activity.matched(routed.matched, options.clock.wall());
    await placeAll(held, event, routed, { startedMs, returned, generation });
  }

  /** Counts the deaths of the process at an event that has come back. */
  async function survived(event: OrgLoopEvent, run: () => Promise<RoutedEvent>) {
    const key = startKey(event.id, event.replay ?? 0);
    const deaths = options.starts.deaths(key);
    try {
      if (deaths >= MAX_DEATHS) throw new Error(`the process ended ${deaths} times meanwhile`);
      await options.starts.begin(key, abandon).catch(() => undefined);
      return await run();
    } finally {
      options.starts.end(key);
    }
  }

  async function placeAll(
    held: OrgLoopEvent,
    event: OrgLoopEvent,
    { routes, matched }: RoutedEvent,
    { startedMs, returned, generation }: Taking,
  ): Promise<void> {
    const end = (dropped: readonly string[]): void => {
      options.recorder.record(event, dropped);
      record(event, matched, startedMs, generation.routes.byName, options);
    };
    const routing = unendedRoutes(routes, end);
    let unsettled = routes.filter(({ kind }) => kind !== "ended").length;
    if (matched.length === 0) return settlement.ackUnmatched(held);
    if (unsettled === 0) return settlement.ack(held);
    await Promise.all(
      routes.map((routed) => {
        if (routed.kind === "ended") return settlement.settle(held, routed.route);
        const { route } = routed.delivery;
        const onSettled = (how: Settled): void => {
          routing.ended(route, how);
          unsettled -= 1;
          if (unsettled === 0) settlement.ack(held);
          else settlement.settle(held, route);
        };
        const onTransformed = () => routing.ended(route);
        return options.place(routed, { generation, returned, onSettled, onTransformed });
      }),
    );
  }

  return (held, receipt) => {
    const generation = current();
    return generation.use(() => take(held, receipt, generation));
  };
}

interface Taking {
  readonly startedMs: number;
  readonly returned: boolean;
  readonly generation: Generation;
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
  { clock, bury, settlement }: RouteSubscriberOptions,
): Promise<void> {
  if (!(await bury(unroutableLetter(offBus(held).event, why, clock.wall())))) {
    throw new OrgLoopError("DRAINING", "the process is stopping");
  }
  settlement.ack(held);
}

function record(
  event: OrgLoopEvent,
  matched: readonly string[],
  startedMs: number,
  routes: ReadonlyMap<string, RouteSpec>,
  { clock, history, project }: RouteSubscriberOptions,
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
    processing_ms: clock.now() - startedMs,
    module: project,
    trace_id: event.trace_id,
  });
}
