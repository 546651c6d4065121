import type { BreakerState } from "@orgloop/sdk";
import type { BreakerPolicy } from "./delivery-policy.ts";

export type { BreakerState } from "@orgloop/sdk";

export const CLOSED: BreakerState = {
  failures: 0,
  openUntilMs: null,
  cooldownMs: 0,
  probeUntilMs: null,
};

export type Circuit = "closed" | "open" | "half_open";

/** `half_open`: the cooldown has passed, a probe is due or under way. */
export function circuitOf(state: Pick<BreakerState, "openUntilMs">, nowMs: number): Circuit {
  if (state.openUntilMs === null) return "closed";
  return nowMs < state.openUntilMs ? "open" : "half_open";
}

/** Whether a delivery may be attempted now; `probe` carries the state that elects it. */
export type Gate =
  | { readonly kind: "pass" }
  | { readonly kind: "probe"; readonly state: BreakerState }
  | { readonly kind: "hold"; readonly untilMs: number };

/** Asks the breaker; `probeTimeoutMs` is how long a probe may take before another is elected. */
export function passBreaker(state: BreakerState, nowMs: number, probeTimeoutMs: number): Gate {
  if (state.openUntilMs === null) return { kind: "pass" };
  if (nowMs < state.openUntilMs) return { kind: "hold", untilMs: state.openUntilMs };
  if (state.probeUntilMs !== null && nowMs < state.probeUntilMs) {
    return { kind: "hold", untilMs: state.probeUntilMs };
  }
  return { kind: "probe", state: { ...state, probeUntilMs: nowMs + probeTimeoutMs } };
}

/**
 * What an attempt says of the actor's health. `refused`: it answered, but not to this event (a permanent refusal): that counts
 * neither way, and a refused probe makes room for the next at once.
 */
export type Health = "success" | "failure" | "refused";

/**
 * The breaker after an attempt. `failureThreshold` consecutive failures open it for `cooldownMs`; a failed probe opens it again for
 * twice as long as before, at most `maxCooldownMs`; a success closes it. What was under way when it opened changes nothing, unless
 * it succeeds.
 */
export function afterAttempt(
  state: BreakerState,
  health: Health,
  wasProbe: boolean,
  policy: BreakerPolicy,
  nowMs: number,
): BreakerState {
  if (health === "success") return state === CLOSED ? state : CLOSED;
  if (state.openUntilMs !== null) {
    if (!wasProbe) return state;
    if (health === "refused") return { ...state, probeUntilMs: null };
    return opened(Math.min(state.cooldownMs * 2, policy.maxCooldownMs), nowMs);
  }
  if (health === "refused") return state;
  const failures = state.failures + 1;
  if (failures < policy.failureThreshold) return { ...CLOSED, failures };
  return opened(Math.min(policy.cooldownMs, policy.maxCooldownMs), nowMs);
}

function opened(cooldownMs: number, nowMs: number): BreakerState {
  return { failures: 0, openUntilMs: nowMs + cooldownMs, cooldownMs, probeUntilMs: null };
}
