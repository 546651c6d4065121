import { REPEAT_WINDOW, type RepeatPolicy, type RepeatTable, repeatPolicy } from "@orgloop/core";
import { parseDuration } from "@orgloop/sdk";
import type { Generation } from "./generation.ts";
import type { RepeatsStatus } from "./status.ts";

type Policies = Pick<Generation, "repeatPolicies">;

/** Of a source that has just been removed what it still sends meets the default. */
export function repeatPolicyOf({ repeatPolicies }: Policies, source: string): RepeatPolicy {
  return repeatPolicies.get(source) ?? repeatPolicy({}, {}, undefined);
}

/** In ms; the default where there are no sources. */
export function longestRepeatWindow({ repeatPolicies }: Policies): number {
  const windows = Array.from(repeatPolicies.values(), ({ windowMs }) => windowMs);
  return windows.length === 0 ? parseDuration(REPEAT_WINDOW) : Math.max(...windows);
}

/** What is known of repeats, and for how long. */
export function repeatsStatus(
  { size, most, pushedOutAt }: Pick<RepeatTable, "size" | "most" | "pushedOutAt">,
  policies: Policies,
  nowMs: number,
): RepeatsStatus {
  const window_ms = longestRepeatWindow(policies);
  const holds_ms = Math.min(window_ms, Math.max(0, nowMs - pushedOutAt * 1_000));
  return { ids: size, most, window_ms, holds_ms };
}
