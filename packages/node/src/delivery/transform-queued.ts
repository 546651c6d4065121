import type { ActorQueue, Delivery, QueuedDelivery } from "@orgloop/engine";
import type { PushOptions, Settled } from "./push-options.ts";

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
