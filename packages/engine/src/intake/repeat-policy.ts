import { type DefaultsSpec, type Duration, parseDuration, type SourceSpec } from "@orgloop/sdk";

/** What becomes of what a source sends again. */
export interface RepeatPolicy {
  /** For how long, from the first, an id is known again; in ms. */
  readonly windowMs: number;
  /** It is routed again, once the first is settled. */
  readonly again: boolean;
}

/** `defaults.repeat_window` where nobody says (`docs/configuration.md`, Repeats). */
export const REPEAT_WINDOW: Duration = "24h";

/**
 * `ofConnector`: what its connector declares, for where neither the source nor the defaults say.
 * Throws `INVALID_DURATION`.
 */
export function repeatPolicy(
  { repeat_window, repeats }: Pick<SourceSpec, "repeat_window" | "repeats">,
  defaults: Pick<DefaultsSpec, "repeat_window">,
  ofConnector: Duration | undefined,
): RepeatPolicy {
  const window = repeat_window ?? defaults.repeat_window ?? ofConnector ?? REPEAT_WINDOW;
  return { windowMs: parseDuration(window), again: repeats === "deliver" };
}

/** The longest window of any source, in ms; the default where there are no sources. */
export function longestRepeatWindow(policies: ReadonlyMap<string, RepeatPolicy>): number {
  if (policies.size === 0) return parseDuration(REPEAT_WINDOW);
  return policies.values().reduce((longest, { windowMs }) => Math.max(longest, windowMs), 0);
}
