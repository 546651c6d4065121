import type { RepeatsStatus } from "@orgloop/node";
import { formatDuration } from "@orgloop/sdk";
import type { Check } from "./check.ts";

const MINUTE_MS = 60_000;

/**
 * For how long a running process really knows again what was sent: less than its window where too
 * much came.
 */
export function checkRepeats({ ids, most, window_ms, holds_ms }: RepeatsStatus): Check {
  const check = { category: "sources", name: "repeats" };
  if (holds_ms >= window_ms) {
    const message = `what is sent again is known for ${formatDuration(window_ms)}: ${ids} ids, room for ${most}`;
    return { ...check, status: "ok", message };
  }
  const really = formatDuration(Math.floor(holds_ms / MINUTE_MS) * MINUTE_MS);
  return {
    ...check,
    status: "degraded",
    message: `what is sent again is known for ${really} only, not ${formatDuration(window_ms)}: more than ${most} ids came within that; what comes later is routed again (a dedup transform remembers more)`,
  };
}
