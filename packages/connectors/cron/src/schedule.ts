import { DURATION_PATTERN, parseDuration } from "@orgloop/sdk";
import { Cron } from "croner";

/** When a schedule ticks. Times in ms since the epoch. */
export interface Schedule {
  /** The last tick at or before `ms`; undefined where there is none. */
  readonly last: (ms: number) => number | undefined;
  /** The first tick after `ms`; undefined where there is none. */
  readonly next: (ms: number) => number | undefined;
  /** The interval of `every …`. */
  readonly intervalMs?: number;
}

/**
 * Reads `every 5m`, a bare duration, or five fields of cron: minute, hour, day of month, month, day
 * of week. An interval ticks at its multiples since the epoch, so that a tick has the same time in
 * every run. Where both days of a cron expression are restricted, both must hold, as in v1alpha1
 * (and unlike Vixie cron). Throws for what is neither.
 */
export function parseSchedule(text: string, timezone: string | undefined): Schedule {
  const duration = text.trim().replace(/^every\s+/i, "");
  if (DURATION_PATTERN.test(duration)) {
    const intervalMs = parseDuration(duration);
    if (intervalMs === 0) throw new Error("an interval must be longer than 0");
    const last = (ms: number) => Math.floor(ms / intervalMs) * intervalMs;
    return { last, next: (ms) => last(ms) + intervalMs, intervalMs };
  }
  const cron = new Cron(text.trim(), {
    paused: true,
    mode: "5-part",
    domAndDow: true,
    ...(timezone !== undefined && { timezone }),
  });
  return {
    // `previousRuns` leaves its reference out.
    last: (ms) => cron.previousRuns(1, new Date(ms + 1))[0]?.getTime(),
    next: (ms) => cron.nextRun(new Date(ms))?.getTime(),
  };
}
