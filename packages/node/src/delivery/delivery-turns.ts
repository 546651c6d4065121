import {
  type ActorQueue,
  abandonment,
  type BreakerChange,
  type BreakerState,
  type Delivery,
  deliverOnce,
  type Next,
  type QueuedDelivery,
  type Verdict,
} from "@orgloop/engine";
import type { Actor } from "@orgloop/sdk";
import type { Held } from "../apply/held.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import type { AskedWaits } from "./asked-waits.ts";
import { deliveryKey } from "./attempt-starts.ts";
import { neverCameState } from "./delivery-letter.ts";
import type { DeliveryReport } from "./delivery-report.ts";
import { isSlow } from "./kept-route-states.ts";
import type { SettleTaken } from "./settle-taken.ts";
import type { TakenDelivery } from "./transform-queued.ts";

export interface DeliveryTurnsOptions
  extends Pick<
    ActorDelivererOptions,
    "id" | "clock" | "log" | "mask" | "activity" | "starts" | "abandon"
  > {
  readonly queue: ActorQueue;
  readonly taken: ReadonlyMap<Delivery, TakenDelivery>;
  readonly report: DeliveryReport;
  readonly asked: AskedWaits;
  readonly settling: SettleTaken;
  /** Who gets the deliveries now; null: there is none. */
  readonly actor: () => Held<Actor> | null;
  /** Keeps a route's breaker and rate for a restart. */
  readonly keep: (route: string) => void;
}

type Attempt = Extract<Next, { kind: "attempt" }>;

/** Gives what an actor's queue has admitted its turn, and says to the queue what came of it. */
export function deliveryTurns(options: DeliveryTurnsOptions): (next: Attempt) => Promise<void> {
  const { queue, starts, abandon, report, clock, log, mask } = options;
  const shared = {
    host: "process",
    abandonment: abandonment(abandon),
    onMissing: options.activity.missing,
    clock,
    log,
    mask,
  };
  return async ({ item, probe, policy }) => {
    const { delivery, state } = item;
    const { route } = delivery;
    if (isSlow(policy)) options.keep(route);
    // The queue has admitted it: the breaker is the one that let it.
    const admitted = { kind: "attempt", probe, breaker: queue.breaker(route) } as const;
    const about = options.taken.get(delivery);
    const returned = about?.returned === true;
    const key = deliveryKey(delivery);
    const deaths = returned ? starts.deaths(key) : 0;
    const deliveryId = about?.deliveryId ?? delivery.event.id;
    const { timeoutMs } = policy;
    const verdict = await deliverOnce(
      { delivery, state, policy, deliveryId, timeoutMs, deaths },
      {
        ...shared,
        admit: () => admitted,
        actor: options.actor,
        // A disk that takes no note of it must not keep it from being delivered.
        begin: returned ? () => starts.begin(key, abandon).catch(() => undefined) : undefined,
        changeBreaker: (change) => changeBreaker(route, change, options),
        onBreaker: (change) => report.circuit(delivery, change),
        onError: (error) => report.gone(delivery, error),
        onAttempted: (outcome, ms) => report.attempted(delivery, outcome, ms),
      },
    );
    await conclude(item, verdict, returned, options);
    if (returned) starts.end(key);
  };
}

function changeBreaker(
  route: string,
  change: (before: BreakerState) => BreakerState,
  { queue, abandon, keep }: DeliveryTurnsOptions,
): BreakerChange {
  const before = queue.breaker(route);
  const after = change(before);
  if (after === before || abandon.aborted) return { before, after: before };
  queue.keepBreaker(route, after);
  if (before.openUntilMs !== after.openUntilMs) keep(route);
  return { before, after };
}

async function conclude(
  item: QueuedDelivery,
  verdict: Verdict,
  returned: boolean,
  options: DeliveryTurnsOptions,
): Promise<void> {
  const { queue, settling, asked, id } = options;
  const { delivery, state } = item;
  // Abandoned, not failed: it is on the bus and comes again after the restart.
  if (verdict.kind === "abandoned") return;
  if (verdict.kind === "not admitted") throw new Error("the queue had admitted it");
  const outcome =
    verdict.kind === "no actor"
      ? ({
          kind: "dead",
          reason: "permanent",
          state: neverCameState(state, delivery.route, id),
        } as const)
      : verdict;
  asked.keep(delivery, state, outcome, returned);
  if (outcome.kind === "dead") await settling.giveUp(delivery, outcome.reason, outcome.state);
  else if (outcome.kind === "delivered") settling.settle(delivery, "delivered");
  queue.finish(item, outcome);
}
