import { type DeliveryReceipt, hasCode, isPermanent, isRetryAfter, messageOf } from "@orgloop/sdk";
import { afterAttempt, type BreakerState, type Health } from "./breaker.ts";
import type { AttemptState, DeliveryPolicy, Outcome } from "./delivery.ts";
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
  /** Its `openings` when the attempt began. */
  readonly openings: number;
  /** True where this attempt was the open breaker's probe. */
  readonly probe: boolean;
  readonly policy: DeliveryPolicy;
  readonly nowMs: number;
  readonly random: () => number;
}

/**
 * A delivery whose attempts fail uncounted for this long has every further one counted: it may be
 * what is wrong. Until then an outage loses what was attempted before the breaker opened, and no
 * more.
 */
export const UNCOUNTED_MS = 86_400_000;

/**
 * Characters of an actor's error that are kept: it stands twice in an item of DynamoDB (400 KB),
 * and in every line about it.
 */
const MAX_ERROR = 4_000;

/**
 * What follows from an attempt, for the delivery and for the route's breaker. The type of the error
 * is the decision (`actor.ts` in sdk), the policy says when. A failure that says more of the actor
 * than of the event counts no attempt (docs/decisions/0010): that which opens the breaker, what was
 * in flight then, a probe, and one that was answered with Retry-After; nor does what was never
 * sent, since this process could open no socket, file or child.
 */
export function concludeAttempt(result: CallResult, facts: AttemptFacts): Conclusion {
  const { state, policy, nowMs } = facts;
  if ("receipt" in result) {
    // Whatever else it answers, it has taken the event.
    const status = result.receipt?.status === "skipped" ? "skipped" : "delivered";
    return {
      outcome: { kind: "delivered", status, attempts: state.attempts + 1 },
      breaker: breakerAfter("success", facts),
    };
  }
  const { error } = result;
  if (isPermanent(error)) {
    const failed = failedState(state, error, nowMs, true);
    return {
      outcome: { kind: "dead", reason: "permanent", state: failed },
      breaker: breakerAfter("refused", facts),
    };
  }
  if (isOutOfRoom(error)) return unsent(error, facts);
  const askedMs = askedDelayMs(error, policy.retry.maxRetryAfterMs);
  const breaker = heldFor(askedMs, nowMs, breakerAfter("failure", facts), facts.breaker);
  const opens = breaker.openings !== facts.breaker.openings;
  const uncounted = opens || facts.probe || wasOvertaken(facts) || askedMs > 0;
  const failed = failedState(state, error, nowMs, !uncounted || isOverdue(state, nowMs));
  return { outcome: afterFailure(failed, breaker, askedMs, facts), breaker };
}

/**
 * The last of its attempts, the breaker's hold, or its own wait: what is asked by Retry-After, and
 * the backoff at least.
 */
function afterFailure(
  state: AttemptState,
  { openUntilMs }: BreakerState,
  askedMs: number,
  { state: before, policy: { retry }, nowMs, random }: AttemptFacts,
): Outcome {
  const counted = state.attempts > before.attempts;
  if (counted && state.attempts >= retry.maxAttempts) {
    return { kind: "dead", reason: "exhausted", state };
  }
  if (openUntilMs !== null && openUntilMs >= nowMs + askedMs) {
    return { kind: "hold", untilMs: openUntilMs, state };
  }
  const backoffMs = retryDelayMs(retry, before.attempts + 1, random);
  const atMs = nowMs + Math.max(backoffMs, askedMs);
  return { kind: "retry", atMs, state, ...(askedMs > 0 && { asked: true }) };
}

/**
 * This process may open no more files, or start no more processes; told by an error or by what
 * caused it.
 */
function isOutOfRoom(error: unknown): boolean {
  let cause = error;
  for (let depth = 0; depth < MAX_CAUSES && cause instanceof Error; depth += 1) {
    if (hasCode(cause, "EMFILE") || hasCode(cause, "ENFILE")) return true;
    if (hasCode(cause, "EAGAIN") && /^spawn/.test(String(Object(cause).syscall))) return true;
    cause = cause.cause;
  }
  return false;
}

const MAX_CAUSES = 8;
/** How long room is waited for at least. */
const ROOM_WAIT_MS = 1_000;

/**
 * Nothing was sent: it says nothing of the event nor of the actor, and a probe makes room for the
 * next.
 */
function unsent(error: unknown, facts: AttemptFacts): Conclusion {
  const { state: before, policy, nowMs, random } = facts;
  const { uncountedSinceMs } = before;
  const state = { ...failedState(before, error, nowMs, false), uncountedSinceMs };
  const waitMs = Math.max(ROOM_WAIT_MS, retryDelayMs(policy.retry, 1, random));
  return {
    outcome: { kind: "retry", atMs: nowMs + waitMs, state },
    breaker: breakerAfter("refused", facts),
  };
}

/** By Retry-After; 0 where the error asks for none, or for nonsense. */
function askedDelayMs(error: unknown, mostMs: number): number {
  if (!isRetryAfter(error) || !(error.retryAfterMs > 0)) return 0;
  return Math.min(error.retryAfterMs, mostMs);
}

/**
 * The breaker has opened while it was in flight: its failure is of the same outage, and was counted
 * there.
 */
function wasOvertaken({ breaker, openings, probe, policy }: AttemptFacts): boolean {
  if (policy.breaker === null) return false;
  return breaker.openings !== openings || (breaker.openUntilMs !== null && !probe);
}

function isOverdue({ uncountedSinceMs }: AttemptState, nowMs: number): boolean {
  return uncountedSinceMs !== null && nowMs - uncountedSinceMs >= UNCOUNTED_MS;
}

function breakerAfter(health: Health, facts: AttemptFacts): BreakerState {
  const { breaker, probe, policy, nowMs } = facts;
  if (policy.breaker === null) return breaker;
  if (health !== "success" && wasOvertaken(facts)) return breaker;
  return afterAttempt(breaker, health, probe, policy.breaker, nowMs);
}

/**
 * Retry-After is said by the actor, not about the event: the breaker that opens on it keeps the
 * whole route away until then.
 */
function heldFor(
  askedMs: number,
  nowMs: number,
  breaker: BreakerState,
  before: BreakerState,
): BreakerState {
  const { openUntilMs } = breaker;
  if (breaker === before || openUntilMs === null || openUntilMs >= nowMs + askedMs) return breaker;
  return { ...breaker, openUntilMs: nowMs + askedMs, askedMs };
}

function failedState(
  before: AttemptState,
  error: unknown,
  nowMs: number,
  counted: boolean,
): AttemptState {
  const message = messageOf(error).slice(0, MAX_ERROR);
  const { uncountedSinceMs } = before;
  return {
    attempts: before.attempts + (counted ? 1 : 0),
    // A clock that was set back meanwhile must not prolong it.
    uncountedSinceMs: counted ? uncountedSinceMs : Math.min(uncountedSinceMs ?? nowMs, nowMs),
    firstAtMs: before.firstAtMs ?? nowMs,
    lastAtMs: nowMs,
    firstError: before.firstError ?? message,
    lastError: message,
  };
}
