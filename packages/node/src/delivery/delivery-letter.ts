import { type Delivery, deliveryLetter } from "@orgloop/engine";
import type { AttemptState, DeadLetter, DeadReason } from "@orgloop/sdk";
import { type Clock, wallTime } from "../process/clock.ts";

/**
 * The letter of a delivery that is given up; it is read by people, so its times are the machine's.
 */
export function letterOf(
  delivery: Delivery,
  reason: DeadReason,
  state: AttemptState,
  clock: Pick<Clock, "now" | "wall">,
): DeadLetter {
  const { firstAtMs, lastAtMs } = state;
  const told = {
    ...state,
    firstAtMs: firstAtMs === null ? null : wallTime(clock, firstAtMs),
    lastAtMs: lastAtMs === null ? null : wallTime(clock, lastAtMs),
  };
  return deliveryLetter(delivery, reason, told, clock.wall());
}

/** Of a delivery whose actor has never existed, and whose route is gone. */
export function neverCameState(before: AttemptState, route: string, actor: string): AttemptState {
  const lastError = `the route "${route}" was removed before there was an actor "${actor}"`;
  return { ...before, firstError: before.firstError ?? lastError, lastError };
}
