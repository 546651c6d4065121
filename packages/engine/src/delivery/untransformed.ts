import { Fifo } from "./collections.ts";
import type { Delivery } from "./delivery.ts";
import type { Lane, QueuedDelivery } from "./route-queue.ts";

/**
 * What of an actor's queue is still to be transformed: in each lane one after the other, in their
 * order.
 */
export class Untransformed {
  /** Lanes that have something to be transformed, and where nothing is being transformed. */
  readonly #lanes = new Fifo<Lane>();
  /** By what was offered. */
  readonly #items = new Map<Delivery, QueuedDelivery>();

  add(item: QueuedDelivery): void {
    this.#items.set(item.delivery, item);
    if (!item.lane.transforming) this.#lanes.add(item.lane);
  }

  /**
   * What is to be transformed next; ask until there is nothing. Say afterwards that it is `done`.
   */
  next(): QueuedDelivery | undefined {
    const lane = this.#lanes.first;
    if (lane === undefined) return undefined;
    this.#lanes.delete(lane);
    lane.transforming = true;
    return lane.untransformed.first;
  }

  /** False where it is in the queue no longer: another has displaced it. */
  has({ delivery }: QueuedDelivery): boolean {
    return this.#items.has(delivery);
  }

  /** It is transformed, or has left the queue. */
  delete({ delivery, lane }: QueuedDelivery): void {
    if (!this.#items.delete(delivery)) return;
    if (lane.untransformed.size === 0) this.#lanes.delete(lane);
  }

  /** The next of its lane may begin. */
  done({ lane }: QueuedDelivery): void {
    lane.transforming = false;
    if (lane.untransformed.size > 0) this.#lanes.add(lane);
  }
}
