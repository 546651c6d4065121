import { setTimeout as wait } from "node:timers/promises";
import { reserve, UNUSED_RATE } from "@orgloop/core";
import { parseRate } from "@orgloop/sdk";

/** Waits until the next replay may be sent. `rate` as `N/s`, evenly spaced; without one nothing waits. Throws `INVALID_RATE`. */
export function replayPace(rate: string | undefined): () => Promise<void> {
  if (rate === undefined) return async () => {};
  const policy = { ...parseRate(rate), burst: 1 };
  let state = UNUSED_RATE;
  return async () => {
    const slot = reserve(state, policy, Date.now());
    state = slot.state;
    await wait(slot.atMs - Date.now());
  };
}
