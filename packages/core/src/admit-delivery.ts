import { type BreakerState, passBreaker } from "./breaker.ts";
import type { DeliveryPolicy } from "./delivery-policy.ts";
import { RATE_SLACK_MS, type RateState, reserve, UNUSED_RATE } from "./rate-limit.ts";

/** A probe is given up on this long after its timeout: time for the host to say how it ended. */
const PROBE_GRACE_MS = 5_000;

/** How long a probe may take before another is elected. */
export function probeTimeoutMs(timeoutMs: number): number {
  return timeoutMs + PROBE_GRACE_MS;
}

/** What the deliveries of a route share, wherever they are attempted. */
export interface RouteGates {
  readonly breaker: BreakerState;
  /** Null: nothing was sent that still counts. */
  readonly rateMs: RateState | null;
}

/** `gates`: as they are afterwards, the same object where nothing has changed. */
export type Admission =
  | { readonly kind: "attempt"; readonly probe: boolean; readonly gates: RouteGates }
  | {
      readonly kind: "hold";
      readonly by: "rate" | "breaker";
      readonly untilMs: number;
      /** The send time that is kept for the delivery; null: it has none. */
      readonly reservedAtMs: number | null;
      readonly gates: RouteGates;
    };

/**
 * A send time holds this long: a queue that comes late (a wait in whole seconds, a host that was slow) must not send all at once what
 * was to be spread.
 */
const RESERVATION_MS = 5_000;

/**
 * Whether a delivery may be attempted now, on a host that keeps no queue of its own: its send time is reserved ahead, once, and kept with
 * the delivery as `reservedAtMs`. While the breaker holds none is reserved, and one that was is given up.
 */
export function admitDelivery(
  gates: RouteGates,
  policy: Pick<DeliveryPolicy, "rate" | "breaker" | "timeoutMs">,
  reservedAtMs: number | null,
  nowMs: number,
): Admission {
  const { breaker, rateMs } = gates;
  const gate =
    policy.breaker === null
      ? ({ kind: "pass" } as const)
      : passBreaker(breaker, nowMs, probeTimeoutMs(policy.timeoutMs));
  if (gate.kind === "hold") {
    return { kind: "hold", by: "breaker", untilMs: gate.untilMs, reservedAtMs: null, gates };
  }
  const slot = slotOf(rateMs, policy, reservedAtMs, nowMs);
  const rated = slot.rateMs === rateMs ? gates : { breaker, rateMs: slot.rateMs };
  if (slot.atMs > nowMs + RATE_SLACK_MS) {
    return { kind: "hold", by: "rate", untilMs: slot.atMs, reservedAtMs: slot.atMs, gates: rated };
  }
  if (gate.kind === "pass") return { kind: "attempt", probe: false, gates: rated };
  return { kind: "attempt", probe: true, gates: { ...rated, breaker: gate.state } };
}

function slotOf(
  rateMs: RateState | null,
  { rate }: Pick<DeliveryPolicy, "rate">,
  reservedAtMs: number | null,
  nowMs: number,
): { readonly atMs: number; readonly rateMs: RateState | null } {
  if (rate === null) return { atMs: nowMs, rateMs };
  if (reservedAtMs !== null && nowMs <= reservedAtMs + RESERVATION_MS) {
    return { atMs: reservedAtMs, rateMs };
  }
  const { atMs, state } = reserve(rateMs ?? UNUSED_RATE, rate, nowMs);
  return { atMs, rateMs: state };
}
