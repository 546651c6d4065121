import { type DeliveryReceipt, isPermanent, isRetryAfter, messageOf } from "@orgloop/sdk";
import type { AttemptState, Delivery, Outcome } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import { retryDelayMs } from "./retry-delay.ts";

export interface AttemptDependencies {
  readonly policy: DeliveryPolicy;
  /** Ms since the epoch. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** One call of the actor, within `policy.timeoutMs`; `attempt` from 1. */
  readonly deliver: (delivery: Delivery, attempt: number) => Promise<DeliveryReceipt | undefined>;
}

/** True where the event is older than the route's `max_age`: it becomes a dead letter, `expired`. */
export function isExpired(delivery: Delivery, policy: DeliveryPolicy, nowMs: number): boolean {
  return policy.maxAgeMs !== null && nowMs - Date.parse(delivery.event.timestamp) > policy.maxAgeMs;
}

/** What follows from a failed attempt: its error's type is the decision (`actor.ts` in sdk), the policy says when. */
export function afterFailure(
  before: AttemptState,
  error: unknown,
  policy: DeliveryPolicy,
  nowMs: number,
  random: () => number,
): Outcome {
  const message = messageOf(error);
  const state: AttemptState = {
    attempts: before.attempts + 1,
    probedSinceMs: null,
    firstAtMs: before.firstAtMs ?? nowMs,
    lastAtMs: nowMs,
    firstError: before.firstError ?? message,
    lastError: message,
  };
  if (isPermanent(error)) return { kind: "dead", reason: "permanent", state };
  if (state.attempts >= policy.retry.maxAttempts) {
    return { kind: "dead", reason: "exhausted", state };
  }
  const backoffMs = retryDelayMs(policy.retry, state.attempts, random);
  const askedMs = isRetryAfter(error) ? Math.min(error.retryAfterMs, policy.retry.maxDelayMs) : 0;
  return { kind: "retry", atMs: nowMs + Math.max(backoffMs, askedMs), state };
}

/** Attempts a delivery once and says what follows. Never throws what the actor threw, never waits. */
export async function attemptDelivery(
  delivery: Delivery,
  state: AttemptState,
  { policy, now, random, deliver }: AttemptDependencies,
): Promise<Outcome> {
  if (isExpired(delivery, policy, now())) return { kind: "dead", reason: "expired", state };
  try {
    const receipt = await deliver(delivery, state.attempts + 1);
    return {
      kind: "delivered",
      status: receipt?.status ?? "delivered",
      attempts: state.attempts + 1,
    };
  } catch (error) {
    return afterFailure(state, error, policy, now(), random);
  }
}
