import type { Delivery, DeliveryPolicy, Outcome } from "@orgloop/engine";
import type { AttemptState } from "@orgloop/sdk";
import { type AttemptStarts, deliveryKey } from "./attempt-starts.ts";

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
