import { DURATION_PATTERN, parseDuration } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

/**
 * `--since` and `--until`: a duration before now (`15m`) or a time, as ms since the epoch. Throws
 * `USAGE`.
 */
export function pointInTime(flag: "--since" | "--until", text: string, nowMs: number): number {
  if (DURATION_PATTERN.test(text)) return nowMs - parseDuration(text);
  const atMs = Date.parse(text);
  if (!Number.isNaN(atMs)) return atMs;
  const expected = "expected a duration such as 15m, or a time such as 2026-11-23T09:00:00Z";
  throw new CommandError("USAGE", `${flag} "${text}": ${expected}`);
}

/** The same of both flags, as the control API wants it. */
export function periodOf({ since, until }: { readonly since?: string; readonly until?: string }): {
  readonly since?: string;
  readonly until?: string;
} {
  const nowMs = Date.now();
  const iso = (flag: "--since" | "--until", text: string) =>
    new Date(pointInTime(flag, text, nowMs)).toISOString();
  return {
    ...(since !== undefined && { since: iso("--since", since) }),
    ...(until !== undefined && { until: iso("--until", until) }),
  };
}
