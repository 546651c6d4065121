import type { AttemptState, Delivery } from "@orgloop/engine";
import type { DeadReason } from "@orgloop/sdk";
import type { ActorDelivererOptions } from "./actor-deliverer-options.ts";
import { letterOf } from "./delivery-letter.ts";
import type { Settled } from "./push-options.ts";
import type { TakenDelivery } from "./transform-queued.ts";

/** How what an actor's deliverer has taken ends. */
export interface SettleTaken {
  settle(delivery: Delivery, how: Settled): void;
  /** Makes it a dead letter, and settles it when that is durable. */
  giveUp(delivery: Delivery, reason: DeadReason, state: AttemptState): Promise<void>;
}

export function settleTaken(
  taken: Map<Delivery, TakenDelivery>,
  { bury, clock }: Pick<ActorDelivererOptions, "bury" | "clock">,
): SettleTaken {
  function settle(delivery: Delivery, how: Settled): void {
    taken.get(delivery)?.onSettled(how);
    taken.delete(delivery);
  }
  return {
    settle,
    async giveUp(delivery, reason, state) {
      if (await bury(letterOf(delivery, reason, state, clock))) settle(delivery, "buried");
    },
  };
}
