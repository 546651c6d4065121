import type { RatePolicy } from "./delivery.ts";

export interface Reservation {
  /** When the delivery may be sent; now or later. */
  readonly atMs: number;
  /** As it is afterwards. */
  readonly state: number;
}

/**
 * How late a timer may fire without delaying what follows, and how early a host's clock may be, in
 * ms: a window holds at most `burst + rate × (window + slack)` deliveries.
 */
export const RATE_SLACK_MS = 2;

/**
 * Reserves a send time: the generic cell rate algorithm (GCRA, ITU-T I.371). Deliveries are spaced
 * by `perMs / count`; after a pause up to `burst` of them may go at once. Each is counted from the
 * one before, so that a backlog does not drift.
 */
export function reserve(
  state: number | null,
  { count, perMs, burst }: RatePolicy,
  nowMs: number,
): Reservation {
  const spacingMs = perMs / count;
  const arrivalMs = Math.max(state ?? 0, nowMs - RATE_SLACK_MS);
  return {
    atMs: Math.max(nowMs, Math.ceil(arrivalMs - (burst - 1) * spacingMs)),
    state: arrivalMs + spacingMs,
  };
}

/**
 * A rate as of `nowMs`, when no send time but those that are past counts: at most a full burst has
 * just been sent. `ahead`: how many reserved send times may lie ahead of it and count too; default
 * 0. It holds however the clock was set meanwhile, and where the rate was another when it was
 * reserved: an hour under a slow rate must not hold a fast one back.
 */
export function clampRate(
  state: number,
  { count, perMs, burst }: RatePolicy,
  nowMs: number,
  ahead = 0,
): number {
  return Math.min(state, nowMs + ((burst + ahead) * perMs) / count);
}
