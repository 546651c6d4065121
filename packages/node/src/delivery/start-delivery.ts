import { loopDetector } from "@orgloop/engine";
import type { OrgLoopEvent, Subscription } from "@orgloop/sdk";
import type { Current } from "../apply/generation.ts";
import type { BusWrites } from "../data/bus-writes.ts";
import { type Inbox, inboxFirst, openInbox } from "../inbox/inbox.ts";
import type { Backlog } from "../intake/backlog.ts";
import type { Repeats } from "../intake/repeats.ts";
import type { Clock } from "../process/clock.ts";
import type { OpenProcess } from "../process/open-process.ts";
import { type LetterReplays, letterReplays } from "../replay/letter-replays.ts";
import { loopGuard } from "../routing/loop-guard.ts";
import { placeRouted } from "../routing/place-routed.ts";
import { publicationTurns } from "../routing/publication-turns.ts";
import { routeSubscriber } from "../routing/route-subscriber.ts";
import { type Settlement, settlement } from "../routing/settlement.ts";
import type { Activity } from "../telemetry/activity.ts";
import { alerts } from "../telemetry/alerts.ts";
import type { EventHistory } from "../telemetry/event-history.ts";
import type { EventRecorder } from "../telemetry/event-recorder.ts";
import type { ActorDeliverer } from "./actor-deliverer.ts";
import type { AttemptStarts } from "./attempt-starts.ts";
import { burial } from "./burial.ts";
import { type Deliverers, startDeliverers } from "./deliverers.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";

export interface StartDeliveryOptions {
  readonly current: Current;
  readonly open: OpenProcess;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly backlog: Backlog;
  readonly writes: BusWrites;
  readonly history: EventHistory;
  readonly recorder: EventRecorder;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
  readonly kept: KeptRouteStates;
  readonly starts: AttemptStarts;
  readonly repeats: Repeats;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
  /** An event is done with. */
  readonly onAcked: (event: OrgLoopEvent) => void;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

/** The half of the process behind the bus. */
export interface RunningDelivery {
  readonly deliverers: Deliverers;
  readonly settlement: Settlement;
  readonly letterReplays: LetterReplays;
  readonly inbox: Inbox;
  /** Resolves when, after the stop, no route's fault is being buried. */
  readonly faultsBuried: () => Promise<void>;
  /** Begins the hand-overs, with what was left from before first. */
  subscribe(): Subscription;
}

/** Puts together what takes events from the bus and gives them to the actors. */
export function startDelivery(options: StartDeliveryOptions): RunningDelivery {
  const { current, open, clock, activity, backlog, writes, history, recorder } = options;
  const { abandon, kept, starts, stop, onAcked, onFatal } = options;
  const { bus, deadLetters, log } = open;
  const { mask } = open.known;
  const alert = alerts({ log, now: clock.now });
  const bury = burial({ deadLetters, clock, log, activity, alert, abandon, mask });
  const settled = settlement({
    bus,
    writes,
    repeats: options.repeats,
    clock,
    onAcked(event) {
      backlog.leave(event);
      onAcked(event);
      turns.acked(event);
    },
    onFatal,
    stop: abandon,
  });
  const replays = letterReplays({
    deadLetters,
    current,
    hasActor: (id) => deliverers.all.has(id),
    place: (...routed) => placing.place(...routed),
    bury,
    clock,
    log,
    stop,
  });
  const shared = { clock, bury: replays.bury, log, activity, alert, kept, starts, abandon, mask };
  const deliverers = startDeliverers(current(), shared);
  const inbox = openInbox({
    store: open.inbox,
    routeOf: (name) => current().routes.byName.get(name),
    promptOf: (route) => current().router.promptOf(route),
    delivererOf: (id) => deliverers.all.get(id),
    bury: replays.bury,
    clock,
    log,
    activity,
    stop,
    abandon,
  });
  const push = inboxFirst(inbox, (delivery, ...rest) => {
    const deliverer = deliverers.all.get(delivery.actor) as ActorDeliverer;
    return deliverer.push(delivery, ...rest);
  });
  const placing = placeRouted({
    push,
    delivererOf: (id) => deliverers.all.get(id),
    bury: replays.bury,
    deadLetters,
    starts,
    clock,
    log,
    abandon,
  });
  const handler = routeSubscriber({
    current,
    place: placing.place,
    settlement: settled,
    bury,
    deadLetters,
    activity,
    history,
    recorder,
    starts,
    loops: loopGuard({ detector: loopDetector(), now: clock.now, log }),
    project: current().topology.project,
    clock,
    log,
    abandon,
  });
  const turns = publicationTurns({ handler, isUnsettled: backlog.has, log });
  return {
    deliverers,
    settlement: settled,
    letterReplays: replays,
    inbox,
    faultsBuried: placing.ended,
    subscribe: () => bus.subscribe({}, turns.handler),
  };
}
