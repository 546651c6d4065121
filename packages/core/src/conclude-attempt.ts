import { type DeliveryReceipt, isPermanent, isRetryAfter, messageOf } from "@orgloop/sdk";
import { afterAttempt, type BreakerState, type Health } from "./breaker.ts";
import type { AttemptState, Outcome } from "./delivery.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import { retryDelayMs } from "./retry-delay.ts";

/** How the actor's call ended. */
export type CallResult =
  | { readonly receipt: DeliveryReceipt | undefined }
  | { readonly error: unknown };

export interface Conclusion {
  readonly outcome: Outcome;
  /** The route's breaker after it. */
  readonly breaker: BreakerState;
}

export interface AttemptFacts {
  readonly state: AttemptState;
  /** The route's breaker as it is now that the call has ended. */
  readonly breaker: BreakerState;
  /** True where this attempt was the open breaker's probe. */
  readonly probe: boolean;
  readonly policy: DeliveryPolicy;
  readonly nowMs: number;
  readonly random: () => number;
}

/**
 * A delivery that has failed as a probe for this long is given up: it may be what is wrong. Until then an outage loses nothing, and
 * beyond it one delivery a lane and day.
 */
export const PROBE_PATIENCE_MS = 86_400_000;

/** Characters of an actor's error that are kept: it stands twice in an item of DynamoDB (400 KB), and in every line about it. */
const MOST_ERROR = 4_000;

/**
 * What follows from an attempt, for the delivery and for the route's breaker. The type of the error is the decision (`actor.ts` in
 * sdk), the policy says when. A failed probe is the breaker's failure, not the event's: it counts no attempt, so that an outage
 * does not empty the queue into the dead letters, however often it is probed.
 */
export function concludeAttempt(result: CallResult, facts: AttemptFacts): Conclusion {
  const { state, policy, nowMs } = facts;
  if ("receipt" in result) {
    const status = result.receipt?.status ?? "delivered";
    return {
      outcome: { kind: "delivered", status, attempts: state.attempts + 1 },
      breaker: breakerAfter("success", facts),
    };
  }
  const { error } = result;
  if (isPermanent(error)) {
    const failed = failedState(state, error, nowMs, 1);
    return {
      outcome: { kind: "dead", reason: "permanent", state: failed },
      breaker: breakerAfter("refused", facts),
    };
  }
  const askedMs = askedDelayMs(error, policy.retry.maxDelayMs);
  const breaker = heldUntil(nowMs + askedMs, breakerAfter("failure", facts), facts.breaker);
  if (facts.probe) return { outcome: afterFailedProbe(breaker, error, facts), breaker };
  const failed = failedState(state, error, nowMs, 1);
  if (failed.attempts >= policy.retry.maxAttempts) {
    return { outcome: { kind: "dead", reason: "exhausted", state: failed }, breaker };
  }
  const backoffMs = retryDelayMs(policy.retry, failed.attempts, facts.random);
  const atMs = nowMs + Math.max(backoffMs, askedMs);
  return { outcome: { kind: "retry", atMs, state: failed }, breaker };
}

/** By Retry-After; 0 where the error asks for none, or for nonsense. */
function askedDelayMs(error: unknown, maxDelayMs: number): number {
  if (!isRetryAfter(error) || !(error.retryAfterMs > 0)) return 0;
  return Math.min(error.retryAfterMs, maxDelayMs);
}

function afterFailedProbe(
  breaker: BreakerState,
  error: unknown,
  { state, nowMs }: AttemptFacts,
): Outcome {
  const probedSinceMs = state.probedSinceMs ?? nowMs;
  const failed = { ...failedState(state, error, nowMs, 0), probedSinceMs };
  if (nowMs - probedSinceMs >= PROBE_PATIENCE_MS) {
    return { kind: "dead", reason: "exhausted", state: failed };
  }
  return { kind: "hold", untilMs: breaker.openUntilMs ?? nowMs, state: failed };
}

function breakerAfter(health: Health, { breaker, probe, policy, nowMs }: AttemptFacts) {
  if (policy.breaker === null) return breaker;
  return afterAttempt(breaker, health, probe, policy.breaker, nowMs);
}

/** Retry-After is said by the actor, not about the event: the breaker that opens on it keeps the whole route away until then. */
function heldUntil(atMs: number, breaker: BreakerState, before: BreakerState): BreakerState {
  const { openUntilMs } = breaker;
  if (breaker === before || openUntilMs === null || openUntilMs >= atMs) return breaker;
  return { ...breaker, openUntilMs: atMs };
}

function failedState(
  before: AttemptState,
  error: unknown,
  nowMs: number,
  counted: 0 | 1,
): AttemptState {
  const message = messageOf(error).slice(0, MOST_ERROR);
  return {
    attempts: before.attempts + counted,
    probedSinceMs: null,
    firstAtMs: before.firstAtMs ?? nowMs,
    lastAtMs: nowMs,
    firstError: before.firstError ?? message,
    lastError: message,
  };
}
