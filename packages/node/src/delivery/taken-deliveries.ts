import {
  type ActorQueue,
  type Delivery,
  type DeliveryPolicy,
  deliveryLetter,
  type QueuedDelivery,
} from "@orgloop/engine";
import type { AttemptState, DeadLetter, DeadReason } from "@orgloop/sdk";
import { type Clock, wallTime } from "../process/clock.ts";
import type { WriteDeadLetter } from "./write-dead-letter.ts";

/**
 * How a delivery has ended: the actor has it, a durable dead letter, or a transform dropped or
 * halted it.
 */
export type Settled = "delivered" | "dead" | "drop" | "halt";

/**
 * What has come of a delivery's transforms: the delivery, or how it ends otherwise. `end` never
 * rejects.
 */
export type Transformed =
  | { readonly kind: "delivery"; readonly delivery: Delivery }
  | { readonly kind: "ended"; readonly end: () => void | Promise<void> };

/** How a delivery is to be taken. */
export interface PushOptions {
  /** It waits for its place whatever the route's `overflow` says, and displaces nothing. */
  readonly waits?: boolean;
  /** It was handed over before, and may be what ended the process then. */
  readonly returned?: boolean;
  /** The actor's policies when the event was matched; default: those of now. */
  readonly matched?: ReadonlyMap<string, DeliveryPolicy> | undefined;
  /**
   * Of an untransformed one: what is still to be done to it, when its turn in its lane has come.
   * Never rejects; null: the process stops, and the event comes again.
   */
  readonly transform?: () => Promise<Transformed | null>;
}

/** What is to be known of a delivery as long as it is unsettled. */
export interface TakenDelivery {
  readonly transform: PushOptions["transform"] | undefined;
  readonly onSettled: (how: Settled) => void;
  /** It may have ended the process before. */
  readonly returned: boolean;
  /** The same for every attempt, whatever routes the actor has meanwhile. */
  readonly deliveryId: string;
}

/**
 * Does to a queued delivery what is still to be done, and goes on with what has come of it. One
 * that has been displaced meanwhile has ended already: its transforms count no longer.
 */
export async function transformQueued(
  item: QueuedDelivery,
  queue: ActorQueue,
  taken: Map<Delivery, TakenDelivery>,
): Promise<void> {
  const { delivery } = item;
  const about = taken.get(delivery);
  const result = (await about?.transform?.()) ?? null;
  if (about === undefined || result === null) return;
  if (queue.untransformed.has(item)) {
    taken.delete(delivery);
    if (result.kind === "delivery") taken.set(result.delivery, about);
    queue.transformed(item, result.kind === "delivery" ? result.delivery : null);
    if (result.kind === "ended") await result.end();
  }
  queue.untransformed.done(item);
}

/** How what an actor's deliverer has taken ends. */
export interface SettleTaken {
  settle(delivery: Delivery, how: Settled): void;
  /** Makes it a dead letter, and settles it when that is durable. */
  giveUp(delivery: Delivery, reason: DeadReason, state: AttemptState): Promise<void>;
}

export function settleTaken(
  taken: Map<Delivery, TakenDelivery>,
  {
    writeDeadLetter,
    clock,
  }: { readonly writeDeadLetter: WriteDeadLetter; readonly clock: Pick<Clock, "now" | "wall"> },
): SettleTaken {
  function settle(delivery: Delivery, how: Settled): void {
    taken.get(delivery)?.onSettled(how);
    taken.delete(delivery);
  }
  return {
    settle,
    async giveUp(delivery, reason, state) {
      if (await writeDeadLetter(letterOf(delivery, reason, state, clock))) settle(delivery, "dead");
    },
  };
}

/**
 * The letter of a delivery that is given up; it is read by people, so its times are the machine's.
 */
function letterOf(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  clock: Pick<Clock, "now" | "wall">,
): DeadLetter {
  const { firstAtMs, lastAtMs } = state;
  const onWall = {
    ...state,
    firstAtMs: firstAtMs === null ? null : wallTime(clock, firstAtMs),
    lastAtMs: lastAtMs === null ? null : wallTime(clock, lastAtMs),
  };
  return deliveryLetter(delivery, reason, onWall, clock.wall());
}

/** Of a delivery whose actor has never existed, and whose route is gone. */
export function neverCameState(before: AttemptState, route: string, actor: string): AttemptState {
  const lastError = `the route "${route}" was removed before there was an actor "${actor}"`;
  return { ...before, firstError: before.firstError ?? lastError, lastError };
}
