import { REPEAT_WINDOW, type RepeatPolicy, type RepeatTable, repeatPolicy } from "@orgloop/engine";
import { parseDuration } from "@orgloop/sdk";
import type { RepeatsStatus } from "../telemetry/status.ts";

/** Of a source that has just been removed what it still sends meets the default. */
export function repeatPolicyOf(
  policies: ReadonlyMap<string, RepeatPolicy>,
  source: string,
): RepeatPolicy {
  return policies.get(source) ?? repeatPolicy({}, {}, undefined);
}

/** In ms; the default where there are no sources. */
export function longestRepeatWindow(policies: ReadonlyMap<string, RepeatPolicy>): number {
  if (policies.size === 0) return parseDuration(REPEAT_WINDOW);
  return policies.values().reduce((longest, { windowMs }) => Math.max(longest, windowMs), 0);
}

/** What is known of repeats, and for how long. */
export function repeatsStatus(
  { size, most, pushedOutAt }: Pick<RepeatTable, "size" | "most" | "pushedOutAt">,
  window_ms: number,
  nowMs: number,
): RepeatsStatus {
  const holds_ms = Math.min(window_ms, Math.max(0, nowMs - pushedOutAt * 1_000));
  return { ids: size, most, window_ms, holds_ms };
}
