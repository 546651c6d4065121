import { type BreakerState, CLOSED_BREAKER } from "@orgloop/sdk";
import type { BreakerPolicy } from "./delivery.ts";

export type { BreakerState } from "@orgloop/sdk";

export const CLOSED = CLOSED_BREAKER;

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
 * What an attempt says of the actor's health. `refused`: it answered, but not to this event (a
 * permanent refusal): that counts neither way, and a refused probe makes room for the next at once.
 */
export type Health = "success" | "failure" | "refused";

/**
 * The breaker after an attempt. `failureThreshold` consecutive failures open it for `cooldownMs`; a
 * failed probe opens it again for twice as long as before, at most `maxCooldownMs`; a success
 * closes it. What was under way when it opened changes nothing, unless it succeeds.
 */
export function afterAttempt(
  state: BreakerState,
  health: Health,
  wasProbe: boolean,
  policy: BreakerPolicy,
  nowMs: number,
): BreakerState {
  if (health === "success") return closed(state);
  if (state.openUntilMs !== null) {
    if (!wasProbe) return state;
    if (health === "refused") return { ...state, probeUntilMs: null };
    return opened(state, Math.min(state.cooldownMs * 2, policy.maxCooldownMs), nowMs);
  }
  if (health === "refused") return state;
  const failures = state.failures + 1;
  if (failures < policy.failureThreshold) return { ...state, failures };
  const openings = state.openings + 1;
  return opened({ openings }, Math.min(policy.cooldownMs, policy.maxCooldownMs), nowMs);
}

/**
 * The breaker of a route whose actor cannot even be opened: open at once, since no attempt would
 * say anything; longer each time, as after a failed probe. What it holds stays as it is.
 */
export function tripped(state: BreakerState, policy: BreakerPolicy, nowMs: number): BreakerState {
  const { openUntilMs, cooldownMs, openings } = state;
  if (openUntilMs === null) {
    const firstMs = Math.min(policy.cooldownMs, policy.maxCooldownMs);
    return opened({ openings: openings + 1 }, firstMs, nowMs);
  }
  if (nowMs < openUntilMs) return state;
  return opened(state, Math.min(cooldownMs * 2, policy.maxCooldownMs), nowMs);
}

/**
 * Without failures and not held, with its number of openings; the same object where it is so
 * already.
 */
export function closed(state: BreakerState): BreakerState {
  if (state.openUntilMs === null && state.failures === 0) return state;
  return { ...CLOSED, openings: state.openings };
}

function opened(
  { openings }: Pick<BreakerState, "openings">,
  cooldownMs: number,
  nowMs: number,
): BreakerState {
  const openUntilMs = nowMs + cooldownMs;
  return { failures: 0, openUntilMs, cooldownMs, probeUntilMs: null, openings };
}

/**
 * A breaker whose times a wall clock has written, as of now: it holds no longer than it was to hold
 * from its opening on, and no longer than `longestMs`; a probe, no longer than `probeTimeoutMs`;
 * however that clock was set meanwhile. The same object where it is so.
 */
export function clampBreaker(
  state: BreakerState,
  { longestMs, probeTimeoutMs }: { readonly longestMs: number; readonly probeTimeoutMs: number },
  nowMs: number,
): BreakerState {
  const { openUntilMs, probeUntilMs } = state;
  if (openUntilMs === null) return state;
  const cooldownMs = Math.min(state.cooldownMs, longestMs);
  const latestMs = nowMs + Math.min(Math.max(cooldownMs, state.askedMs ?? 0), longestMs);
  const latestProbeMs = nowMs + probeTimeoutMs;
  const isInBounds = openUntilMs <= latestMs && (probeUntilMs ?? 0) <= latestProbeMs;
  if (isInBounds && cooldownMs === state.cooldownMs) return state;
  return {
    ...state,
    openUntilMs: Math.min(openUntilMs, latestMs),
    probeUntilMs: probeUntilMs === null ? null : Math.min(probeUntilMs, latestProbeMs),
    cooldownMs,
  };
}
