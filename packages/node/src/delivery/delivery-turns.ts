import {
  type ActorQueue,
  abandonment,
  type BreakerChange,
  type BreakerState,
  type Delivery,
  type DeliveryPolicy,
  deliverOnce,
  type Next,
  type Outcome,
  type QueuedDelivery,
  type Verdict,
} from "@orgloop/engine";
import type { Actor, AttemptState } from "@orgloop/sdk";
import type { InUse } from "../apply/in-use.ts";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import { type AttemptStarts, deliveryKey } from "./attempt-starts.ts";
import type { DeliveryReport } from "./delivery-report.ts";
import { neverCameState, type SettleTaken, type TakenDelivery } from "./taken-deliveries.ts";

interface DeliveryTurnsOptions
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
  readonly actor: () => InUse<Actor> | null;
  /** Keeps a route's breaker and rate for a restart. */
  readonly keep: (route: string) => void;
}

/**
 * Rates whose deliveries are at least this far apart are kept at once: a crash would let another
 * through too early.
 */
const SLOW_SPACING_MS = 10_000;

function isSlow({ rate }: DeliveryPolicy): boolean {
  return rate !== null && rate.perMs / rate.count >= SLOW_SPACING_MS;
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
    const admitted = { kind: "attempt", probe, breaker: queue.state(route).breaker } as const;
    const about = options.taken.get(delivery);
    // Only what has come back may have ended the process before.
    const key = about?.returned === true ? deliveryKey(delivery) : null;
    const deaths = key === null ? 0 : starts.deaths(key);
    const deliveryId = about?.deliveryId ?? delivery.event.id;
    const { timeoutMs } = policy;
    const verdict = await deliverOnce(
      { delivery, state, policy, deliveryId, timeoutMs, deaths },
      {
        ...shared,
        admit: () => admitted,
        actor: options.actor,
        // A disk that takes no note of it must not keep it from being delivered.
        begin: key === null ? undefined : () => starts.begin(key, abandon).catch(() => undefined),
        changeBreaker: (change) => changeBreaker(route, change, options),
        onBreaker: (change) => report.circuit(delivery, change),
        onError: (error) => report.gone(delivery, error),
        onAttempted: (outcome, ms) => report.attempted(delivery, outcome, ms),
      },
    );
    await conclude(item, verdict, key !== null, options);
    if (key !== null) starts.end(key);
  };
}

function changeBreaker(
  route: string,
  change: (before: BreakerState) => BreakerState,
  { queue, abandon, keep }: DeliveryTurnsOptions,
): BreakerChange {
  const before = queue.state(route).breaker;
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
  if (verdict.kind === "not admitted" || verdict.kind === "not alone") {
    throw new Error("the queue had admitted it");
  }
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

/**
 * Waits that actors have asked for by Retry-After: the process that comes after is to wait as long.
 */
export interface AskedWaits {
  /**
   * Until when a delivery of the process before waits, in ms of `clock.now`; undefined: it was not
   * asked to.
   */
  until(delivery: Delivery, policy: DeliveryPolicy | undefined): number | undefined;
  /**
   * Keeps what an attempt has come to; `before`: as the delivery was, `returned`: it came from the
   * process before.
   */
  keep(
    delivery: Delivery,
    before: AttemptState,
    outcome: Outcome,
    returned: boolean | undefined,
  ): void;
}

export function askedWaits(starts: Pick<AttemptStarts, "ask" | "askedUntil">): AskedWaits {
  return {
    until(delivery, policy) {
      if (policy === undefined) return undefined;
      const { maxRetryAfterMs } = policy.retry;
      return starts.askedUntil(deliveryKey(delivery), maxRetryAfterMs) ?? undefined;
    },
    keep(delivery, before, outcome, returned = false) {
      if (outcome.kind === "retry" && outcome.asked) {
        starts.ask(deliveryKey(delivery), outcome.atMs);
      }
      const isDone = outcome.kind === "delivered" || outcome.kind === "dead";
      const mayBeKept = returned || before.uncountedSinceMs !== null;
      if (isDone && mayBeKept) starts.ask(deliveryKey(delivery), null);
    },
  };
}
