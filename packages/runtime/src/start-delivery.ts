import { type DeliveryPolicy, loopDetector, type Router } from "@orgloop/core";
import type { Actor, OrgLoopEvent, Subscription, Topology } from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import { type ActorDeliverer, actorDeliverer } from "./actor-deliverer.ts";
import { alerts } from "./alerts.ts";
import type { AttemptStarts } from "./attempt-starts.ts";
import type { Backlog } from "./backlog.ts";
import { bindTransforms } from "./bind-transforms.ts";
import { burial } from "./burial.ts";
import type { Clock } from "./clock.ts";
import type { CompiledRoutes } from "./compile-routes.ts";
import type { EventHistory } from "./event-history.ts";
import type { EventRecorder } from "./event-recorder.ts";
import type { KeptRouteStates } from "./kept-route-states.ts";
import { type LetterReplays, letterReplays } from "./letter-replays.ts";
import { loopGuard } from "./loop-guard.ts";
import type { OpenProcess } from "./open-process.ts";
import { routeSubscriber } from "./route-subscriber.ts";
import { type Settlement, settlement } from "./settlement.ts";

export interface StartDeliveryOptions {
  /** References resolved. */
  readonly topology: Topology;
  readonly routes: CompiledRoutes;
  readonly open: OpenProcess;
  readonly clock: Clock;
  readonly activity: Activity;
  readonly backlog: Backlog;
  readonly history: EventHistory;
  readonly recorder: EventRecorder;
  /** Aborted when a drain gives up on what is in flight. */
  readonly abandon: AbortSignal;
  readonly kept: KeptRouteStates;
  readonly starts: AttemptStarts;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
  /** An event is done with. */
  readonly onAcked: (event: OrgLoopEvent) => void;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

/** The half of the process behind the bus. */
export interface RunningDelivery {
  readonly deliverers: ReadonlyMap<string, ActorDeliverer>;
  readonly settlement: Settlement;
  readonly letterReplays: LetterReplays;
  /** Begins the hand-overs, with what was left from before first. */
  subscribe(): Subscription;
}

/** Puts together what takes events from the bus and gives them to the actors. */
export function startDelivery(options: StartDeliveryOptions): RunningDelivery {
  const {
    topology,
    routes,
    open,
    clock,
    activity,
    backlog,
    history,
    recorder,
    abandon,
    kept,
    starts,
    stop,
    onAcked,
    onFatal,
  } = options;
  const { bus, plugins, deadLetters, log } = open;
  const alert = alerts({ log, now: clock.now });
  const bury = burial({ deadLetters, clock, log, activity, alert, abandon });
  const settled = settlement({
    bus,
    clock,
    onAcked(event) {
      backlog.leave(event);
      onAcked(event);
    },
    onFatal,
    stop: abandon,
  });
  const transforms = bindTransforms(topology, plugins.transforms, clock, abandon);
  const router: Router = {
    matcher: routes.matcher,
    sources: new Map(topology.sources.map((source) => [source.id, source])),
    transformsOf: (route) => transforms.get(route.name) ?? [],
    promptOf: (route) => routes.prompts.get(route.name),
    now: clock.now,
    log,
  };
  const replays = letterReplays({
    deadLetters,
    router,
    routes: routes.byName,
    deliverers: () => deliverers,
    bury,
    clock,
    log,
    stop,
  });
  const deliverers: ReadonlyMap<string, ActorDeliverer> = new Map(
    topology.actors.map(({ id, queue_depth: depth }) => {
      const actor = plugins.actors.get(id) as Actor;
      const policies = routes.policies.get(id) as ReadonlyMap<string, DeliveryPolicy>;
      const { breakers, rates } = kept;
      const shared = { clock, bury: replays.bury, log, activity, alert, kept, starts, abandon };
      return [
        id,
        actorDeliverer({ ...shared, id, depth, policies, breakers, rates, actor }),
      ] as const;
    }),
  );
  const handler = routeSubscriber({
    router,
    routes: routes.byName,
    deliverers,
    settlement: settled,
    bury,
    deadLetters,
    activity,
    history,
    recorder,
    starts,
    loops: loopGuard({ detector: loopDetector(), now: clock.now, log }),
    project: topology.project,
    abandon,
  });
  return {
    deliverers,
    settlement: settled,
    letterReplays: replays,
    subscribe: () => bus.subscribe({}, handler),
  };
}
