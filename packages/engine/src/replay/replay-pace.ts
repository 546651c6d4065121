import { parseRate } from "@orgloop/sdk";
import type { RatePolicy } from "../delivery/delivery.ts";
import { reserve } from "../delivery/rate-limit.ts";
import { type Clock, waitUntil } from "../ports/clock.ts";

/** Resolves when the next replay may go; false where it is stopped before. */
export type Pace = () => Promise<boolean>;

/** `rate` as `N/s`, evenly spaced; without one nothing waits. Throws `INVALID_RATE`. */
export function replayPace(
  rate: string | undefined,
  clock: Clock,
  stop: AbortSignal = new AbortController().signal,
): Pace {
  if (rate === undefined) return async () => !stop.aborted;
  const policy: RatePolicy = { ...parseRate(rate), burst: 1 };
  let state: number | null = null;
  return async () => {
    const slot = reserve(state, policy, clock.now());
    state = slot.state;
    if (slot.atMs > clock.now()) await waitUntil(clock, slot.atMs, stop);
    return !stop.aborted;
  };
}
