import type { DeliveryReceipt } from "@orgloop/sdk";
import type { BreakerState } from "./breaker.ts";
import { type CallResult, concludeAttempt } from "./conclude-attempt.ts";
import type { AttemptState, Delivery, Outcome } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";

export interface AttemptDependencies {
  readonly policy: DeliveryPolicy;
  /** True where the open breaker has elected this attempt as its probe. */
  readonly probe: boolean;
  /** Of the route's breaker when it let the attempt begin. */
  readonly openings: number;
  /** The route's breaker as it is when asked: other attempts may change it while this one is under way. */
  readonly breaker: () => BreakerState;
  /** Keeps the breaker as it is after the attempt; called at once when the outcome is known, so that no other attempt comes between. */
  readonly keepBreaker: (after: BreakerState, before: BreakerState) => void;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** One call of the actor, within `policy.timeoutMs`; `attempt` from 1. */
  readonly deliver: (delivery: Delivery, attempt: number) => Promise<DeliveryReceipt | undefined>;
}

/** Attempts a delivery once and says what follows. Never throws what the actor threw, never waits. */
export async function attemptDelivery(
  delivery: Delivery,
  state: AttemptState,
  { policy, probe, openings, breaker, keepBreaker, now, random, deliver }: AttemptDependencies,
): Promise<Outcome> {
  const result = await call(() => deliver(delivery, state.attempts + 1));
  const before = breaker();
  const facts = { state, breaker: before, openings, probe, policy, nowMs: now(), random };
  const { outcome, breaker: after } = concludeAttempt(result, facts);
  if (after !== before) keepBreaker(after, before);
  return outcome;
}

async function call(deliver: () => Promise<DeliveryReceipt | undefined>): Promise<CallResult> {
  try {
    return { receipt: await deliver() };
  } catch (error) {
    return { error };
  }
}
