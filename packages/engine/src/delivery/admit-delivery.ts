import { DEFAULT_QUEUE_DEPTH, type RouteState } from "@orgloop/sdk";
import { type BreakerState, CLOSED, clampBreaker, type Gate, passBreaker } from "./breaker.ts";
import type { DeliveryPolicy } from "./delivery.ts";
import { clampRate, RATE_SLACK_MS, reserve } from "./rate-limit.ts";

/** A probe is given up on this long after its timeout: time for the host to say how it ended. */
const PROBE_GRACE_MS = 5_000;

/** How long a probe may take before another is elected. */
export function probeTimeoutMs(timeoutMs: number): number {
  return timeoutMs + PROBE_GRACE_MS;
}

/** Of a route to which nothing has happened. */
export const HEALTHY: RouteState = { breaker: CLOSED, rateMs: null };

/** A send time that the rate has given a delivery; void once the breaker has opened since. */
export interface ReservedTime {
  readonly atMs: number;
  /** The breaker's, when it was reserved. */
  readonly openings: number;
}

/** `state`: the route's as it is afterwards, the same object where nothing has changed. */
export type Admission =
  | { readonly kind: "attempt"; readonly probe: boolean; readonly state: RouteState }
  | {
      readonly kind: "hold";
      readonly by: "rate" | "breaker";
      readonly untilMs: number;
      /** The send time that is kept for the delivery; null: it has none. */
      readonly reserved: ReservedTime | null;
      readonly state: RouteState;
    };

/** What of the policy decides when a delivery may be sent. */
export type AdmissionPolicy = Pick<
  DeliveryPolicy,
  "rate" | "breaker" | "timeoutMs" | "retry" | "queueDepth"
>;

/**
 * A send time holds this long: a queue that comes late (a wait in whole seconds, a host that was
 * slow) must not send all at once what was to be spread.
 */
const RESERVATION_MS = 5_000;

/**
 * Whether a delivery may be attempted now. The rate is asked, then the breaker, and what both take
 * is taken together: while the breaker is not closed no send time is reserved. A host that keeps no
 * queue of its own keeps `state` also of a hold, and `reserved` with the delivery, so that it is
 * held once; one that asks in the order of its queue forgets both, and asks again in time.
 */
export function admitDelivery(
  stored: RouteState,
  policy: AdmissionPolicy,
  reserved: ReservedTime | null,
  nowMs: number,
): Admission {
  const state = clampState(stored, policy, nowMs);
  const { breaker, rateMs } = state;
  const slot = slotOf(state, policy, reserved, nowMs);
  const gate = askBreaker(breaker, policy, nowMs);
  if (gate.kind === "hold") {
    return { kind: "hold", by: "breaker", untilMs: gate.untilMs, reserved: null, state };
  }
  if (slot.atMs > nowMs + (slot.isNew ? 0 : RATE_SLACK_MS)) {
    const { atMs: untilMs } = slot;
    const hold = { kind: "hold", by: "rate", untilMs } as const;
    if (gate.kind === "probe") return { ...hold, reserved: null, state };
    const kept = { atMs: untilMs, openings: breaker.openings };
    return {
      ...hold,
      reserved: kept,
      state: slot.isNew ? { breaker, rateMs: slot.rateMs } : state,
    };
  }
  if (gate.kind === "probe") {
    return { kind: "attempt", probe: true, state: { breaker: gate.state, rateMs: slot.rateMs } };
  }
  const after = slot.rateMs === rateMs ? state : { breaker, rateMs: slot.rateMs };
  return { kind: "attempt", probe: false, state: after };
}

/**
 * A route's state with its breaker as an attempt has left it. Where it has opened, the send times
 * that were reserved ahead are given back: of what was sent until now at most a full burst counts.
 */
export function withBreaker(
  { breaker: before, rateMs }: RouteState,
  breaker: BreakerState,
  { rate }: Pick<DeliveryPolicy, "rate">,
  nowMs: number,
): RouteState {
  const opened = breaker.openings !== before.openings;
  if (!opened || rate === null || rateMs === null) return { breaker, rateMs };
  return { breaker, rateMs: clampRate(rateMs, rate, nowMs) };
}

/**
 * The longest that a breaker may hold from now on: its longest cooldown, or what an actor has asked
 * for.
 */
export function longestHoldMs({ breaker, retry }: Pick<DeliveryPolicy, "breaker" | "retry">) {
  return Math.max(breaker?.maxCooldownMs ?? 0, breaker?.cooldownMs ?? 0, retry.maxRetryAfterMs);
}

/** The longest that a delivery waits after an attempt: its backoff, or what holds its route. */
export function longestWaitMs(policy: Pick<DeliveryPolicy, "breaker" | "retry">): number {
  return Math.max(policy.retry.maxDelayMs, longestHoldMs(policy));
}

function clampHold(state: BreakerState, policy: AdmissionPolicy, nowMs: number): BreakerState {
  if (state.openUntilMs === null) return state;
  const longestMs = longestHoldMs(policy);
  return clampBreaker(
    state,
    { longestMs, probeTimeoutMs: probeTimeoutMs(policy.timeoutMs) },
    nowMs,
  );
}

/**
 * A state that was kept over a restart, as of now: nothing lies further ahead than its policy
 * allows, and no send time is reserved.
 */
export function restoredState(
  kept: RouteState,
  policy: AdmissionPolicy,
  nowMs: number,
): RouteState {
  return clampState(kept, policy, nowMs, 0);
}

/** What a host keeps of a state for its next start; null: nothing of it counts then. */
export function keptState({ breaker, rateMs }: RouteState, nowMs: number): RouteState | null {
  const { openUntilMs, cooldownMs, askedMs } = breaker;
  const rate = rateMs !== null && rateMs > nowMs ? rateMs : null;
  if (openUntilMs === null) return rate === null ? null : { breaker: CLOSED, rateMs: rate };
  const asked = askedMs !== undefined && { askedMs };
  return { breaker: { ...CLOSED, openUntilMs, cooldownMs, ...asked }, rateMs: rate };
}

/** One that a wall clock has written, as of now; `ahead`: how many send times may be reserved. */
function clampState(
  state: RouteState,
  policy: AdmissionPolicy,
  nowMs: number,
  ahead = policy.queueDepth ?? DEFAULT_QUEUE_DEPTH,
): RouteState {
  const { rate } = policy;
  const breaker = clampHold(state.breaker, policy, nowMs);
  const rateMs =
    rate === null || state.rateMs === null
      ? state.rateMs
      : clampRate(state.rateMs, rate, nowMs, ahead);
  return breaker === state.breaker && rateMs === state.rateMs ? state : { breaker, rateMs };
}

function askBreaker(
  state: BreakerState,
  { breaker, timeoutMs }: Pick<DeliveryPolicy, "breaker" | "timeoutMs">,
  nowMs: number,
): Gate {
  if (breaker === null) return { kind: "pass" };
  return passBreaker(state, nowMs, probeTimeoutMs(timeoutMs));
}

interface Slot {
  readonly atMs: number;
  readonly rateMs: number | null;
  /** It was not reserved before. */
  readonly isNew: boolean;
}

function slotOf(
  { breaker, rateMs }: RouteState,
  { rate }: Pick<DeliveryPolicy, "rate">,
  reserved: ReservedTime | null,
  nowMs: number,
): Slot {
  if (rate === null) return { atMs: nowMs, rateMs, isNew: false };
  if (reserved !== null && holds(reserved, breaker, rateMs, nowMs)) {
    return { atMs: reserved.atMs, rateMs, isNew: false };
  }
  const { atMs, state } = reserve(rateMs, rate, nowMs);
  return { atMs, rateMs: state, isNew: true };
}

/** What lies beyond the rate's own time was reserved by a clock that ran ahead. */
function holds(
  { atMs, openings }: ReservedTime,
  breaker: BreakerState,
  rateMs: number | null,
  nowMs: number,
): boolean {
  return (
    openings === breaker.openings &&
    nowMs <= atMs + RESERVATION_MS &&
    atMs <= Math.max(nowMs, rateMs ?? 0)
  );
}
