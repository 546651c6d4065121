import { parseDuration } from "@orgloop/sdk";

const DAY_MS = 86_400_000;

/** What CloudWatch Logs takes, in days (AWS, PutRetentionPolicy). */
const LOG_RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
];

/**
 * At least so long as was asked for, in days as CloudWatch Logs takes them; 30 where nothing was.
 */
export function logRetentionDays(asked = "30d"): number {
  const days = parseDuration(asked) / DAY_MS;
  return LOG_RETENTION_DAYS.find((one) => one >= days) ?? 3653;
}

/** A duration in whole days, at least 1. */
export const wholeDays = (duration: string): number =>
  Math.max(1, Math.ceil(parseDuration(duration) / DAY_MS));
