import {
  type Deaths,
  type EventPorts,
  type HandledEvent,
  handleEvent,
  isUnroutable,
  type LoopDetector,
  type Published,
  type RoutedEvent,
  type RoutedToEnd,
} from "@orgloop/engine";
import {
  type DeadLetterStore,
  type EventHandler,
  type LogEntry,
  OrgLoopError,
  type OrgLoopEvent,
  type Receipt,
  type RouteSpec,
} from "@orgloop/sdk";
import type { Current, Generation } from "../apply/generation.ts";
import { type AttemptStarts, deathsOf } from "../delivery/attempt-starts.ts";
import type { Settled } from "../delivery/taken-deliveries.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity, RecentEvents } from "../telemetry/activity.ts";
import type { EventRecorder } from "../telemetry/event-recorder.ts";
import type { PlaceRouted } from "./place-routed.ts";
import type { PublicationTurns } from "./publication-turns.ts";
import type { Settlement } from "./settlement.ts";

interface RouteSubscriberOptions {
  readonly current: Current;
  readonly clock: Pick<Clock, "now" | "wall">;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly placing: Pick<PlaceRouted, "place">;
  readonly turns: PublicationTurns;
  readonly settlement: Settlement;
  readonly writeDeadLetter: WriteDeadLetter;
  readonly deadLetters: DeadLetterStore;
  readonly activity: Activity;
  readonly history: RecentEvents;
  readonly recorder: EventRecorder;
  readonly starts: AttemptStarts;
  readonly loops: LoopDetector;
  readonly project: string;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
}

/**
 * Takes events from the bus: the engine routes them, this gives what comes of each a place, in the
 * actors' queues and their lanes. Pending while a queue is full. The event is acked when every
 * route that matched is settled: delivered, ended by a transform, or a durable dead letter.
 */
export function routeSubscriber(options: RouteSubscriberOptions): EventHandler {
  const { current, settlement, recorder, activity, clock } = options;
  const deaths = deathsOf(options.starts, options.abandon);

  async function take(
    published: OrgLoopEvent,
    receipt: Receipt,
    generation: Generation,
  ): Promise<void> {
    const startedMs = clock.now();
    const ports = eventPorts(receipt, generation, deaths, options);
    const handled: HandledEvent = await handleEvent(published, ports);
    if (handled.kind === "known") return settlement.ack(published);
    if (handled.kind === "given up") {
      recorder.record(handled.event, handled.dropped);
      return settlement.ack(published);
    }
    activity.matched(handled.matched, clock.wall());
    await placeAll(published, handled, { startedMs, returned: ports.returned, generation });
  }

  async function placeAll(
    published: OrgLoopEvent,
    { event, routes, matched }: RoutedToEnd,
    { startedMs, returned, generation }: Taking,
  ): Promise<void> {
    const end = (dropped: readonly string[]): void => {
      recorder.record(event, dropped);
      addToHistory(event, { matched, dropped, startedMs }, generation.routes.byName, options);
    };
    const routing = unendedRoutes(routes, end);
    let unsettled = routes.filter(({ kind }) => kind !== "ended").length;
    if (matched.length === 0) return settlement.ackUnmatched(published);
    if (unsettled === 0) return settlement.ack(published);
    await Promise.all(
      routes.map((routed) => {
        if (routed.kind === "ended") return settlement.settle(published, routed.route);
        const { route } = routed.delivery;
        const onSettled = (how: Settled): void => {
          routing.ended(route, how);
          unsettled -= 1;
          if (unsettled === 0) settlement.ack(published);
          else settlement.settle(published, route);
        };
        const onTransformed = () => routing.ended(route);
        return options.placing.place(routed, { generation, returned, onSettled, onTransformed });
      }),
    );
  }

  function route(published: OrgLoopEvent, receipt: Receipt): Promise<void> {
    const generation = current();
    return generation.use(() => take(published, receipt, generation));
  }

  return (published: Published, receipt) =>
    published.publication_of === undefined
      ? route(published, receipt)
      : options.turns(published.publication_of, { published, receipt, route });
}

interface Taking {
  readonly startedMs: number;
  readonly returned: boolean;
  readonly generation: Generation;
}

/** What the process brings to an event. Its intake has found repeats before the bus had them. */
function eventPorts(
  { attempt, settled }: Receipt,
  { router }: Generation,
  deaths: Deaths,
  { activity, clock, log, loops, deadLetters, abandon, ...options }: RouteSubscriberOptions,
): EventPorts {
  return {
    router: { ...router, onMissing: activity.missing },
    settled,
    returned: attempt > 1,
    tooOld: null,
    followTrace: (event) => loops.check(event, clock.now()),
    // A store that cannot be read now must not keep the event from being routed.
    wasGivenUp: (event) => isUnroutable(event, deadLetters).catch(() => false),
    deaths,
    async writeDeadLetter(letter) {
      if (await options.writeDeadLetter(letter)) return;
      throw new OrgLoopError("DRAINING", "the process is stopping");
    },
    log,
    abandon,
    wall: clock.wall,
  };
}

interface RoutedTo {
  readonly matched: readonly string[];
  /** Routes whose transforms dropped it. */
  readonly dropped: readonly string[];
  readonly startedMs: number;
}

function addToHistory(
  event: OrgLoopEvent,
  { matched, dropped, startedMs }: RoutedTo,
  routes: ReadonlyMap<string, RouteSpec>,
  { activity, clock, history, project }: RouteSubscriberOptions,
): void {
  activity.droppedBy(dropped);
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

/** Knows on which routes an event is still being transformed. */
interface UnendedRoutes {
  /** Its transforms have ended on that route; `drop`: they had no use for it. */
  ended(route: string, how?: Settled): void;
}

/**
 * Calls `onEnd`, with the routes whose transforms dropped the event, when it is in no lane any
 * more: at once where it is in none.
 */
function unendedRoutes(
  routes: RoutedEvent["routes"],
  onEnd: (dropped: readonly string[]) => void,
): UnendedRoutes {
  const dropped: string[] = [];
  const unended = new Set<string>();
  for (const routed of routes) {
    if (routed.kind === "in lane") unended.add(routed.delivery.route);
    else if (routed.kind === "ended" && routed.by === "drop") dropped.push(routed.route);
  }
  if (unended.size === 0) onEnd(dropped);
  return {
    ended(route, how) {
      if (!unended.delete(route)) return;
      if (how === "drop") dropped.push(route);
      if (unended.size === 0) onEnd(dropped);
    },
  };
}
