import {
  ActorQueue,
  type Circuit,
  circuitOf,
  concludeAttempt,
  type Delivery,
  type DeliveryPolicy,
  type QueuedDelivery,
} from "@orgloop/engine";
import type { DeadReason, RouteState } from "@orgloop/sdk";
import type { FakeClock } from "@orgloop/testkit";

/** How a call of an actor ends, and after how long. */
export interface SimulatedCall {
  readonly takesMs: number;
  readonly error?: Error;
}

export interface AttemptSeen {
  readonly delivery: Delivery;
  readonly atMs: number;
  readonly probe: boolean;
  /** The route's, before the attempt was chosen. */
  readonly circuit: Circuit;
}

export interface DaemonOptions {
  readonly clock: FakeClock;
  readonly depth: number;
  readonly policies: ReadonlyMap<string, DeliveryPolicy>;
  readonly states?: ReadonlyMap<string, RouteState>;
  readonly call: (delivery: Delivery, nowMs: number) => SimulatedCall;
  readonly onAttempt: (attempt: AttemptSeen) => void;
  readonly onEnd: (delivery: Delivery, delivered: boolean) => void;
  readonly onFate: (delivery: Delivery, fate: "delivered" | DeadReason) => void;
}

/** The least of a host: what a process does with core's queue, in simulated time. */
export interface DeliveryHost {
  readonly queue: ActorQueue;
  push(delivery: Delivery): void;
  /** Deliveries that wait outside for a place (`overflow: block`). */
  readonly blocked: number;
}

export function deliveryHost(options: DaemonOptions): DeliveryHost {
  const { clock, policies } = options;
  const queue = new ActorQueue(options);
  const outside = new Map<string, Delivery[]>([...policies.keys()].map((name) => [name, []]));
  let cancel = () => {};
  let blocked = 0;

  function pump(): void {
    cancel();
    for (;;) {
      const nowMs = clock.now();
      const circuits = new Map(
        [...policies.keys()].map((name) => [name, circuitOf(queue.state(name).breaker, nowMs)]),
      );
      const next = queue.next(nowMs);
      if (next.kind === "attempt") {
        const { delivery } = next.item;
        const circuit = circuits.get(delivery.route) as Circuit;
        options.onAttempt({ delivery, atMs: nowMs, probe: next.probe, circuit });
        const { takesMs, error } = options.call(delivery, nowMs);
        clock.schedule(takesMs, () => end(next.item, next.probe, error));
      } else if (next.kind === "expired") {
        options.onFate(next.delivery, "expired");
      } else {
        if (admit()) continue;
        if (next.atMs !== null) cancel = clock.schedule(next.atMs - nowMs, pump);
        return;
      }
    }
  }

  function end(item: QueuedDelivery, probe: boolean, error: Error | undefined): void {
    const { delivery, state } = item;
    const { outcome, breaker } = concludeAttempt(
      error === undefined ? { receipt: undefined } : { error },
      {
        state,
        openings: item.openings,
        breaker: queue.state(delivery.route).breaker,
        probe,
        policy: policies.get(delivery.route) as DeliveryPolicy,
        nowMs: clock.now(),
        random: clock.random,
      },
    );
    queue.keepBreaker(delivery.route, breaker);
    queue.finish(item, outcome);
    options.onEnd(delivery, error === undefined);
    if (outcome.kind === "delivered") options.onFate(delivery, "delivered");
    if (outcome.kind === "dead") options.onFate(delivery, outcome.reason);
    pump();
  }

  /** Lets those in who wait outside; true where one got a place. */
  function admit(): boolean {
    let admitted = false;
    for (const waiting of outside.values()) {
      while (waiting.length > 0 && offer(waiting[0] as Delivery)) {
        waiting.shift();
        blocked -= 1;
        admitted = true;
      }
    }
    return admitted;
  }

  function offer(delivery: Delivery): boolean {
    const result = queue.offer(delivery);
    if (result.kind === "full") return false;
    if (result.kind === "dropped") options.onFate(result.victim, "backpressure");
    return true;
  }

  return {
    queue,
    push(delivery) {
      const waiting = outside.get(delivery.route) as Delivery[];
      if (waiting.length > 0 || !offer(delivery)) {
        waiting.push(delivery);
        blocked += 1;
      }
      pump();
    },
    get blocked() {
      return blocked;
    },
  };
}
