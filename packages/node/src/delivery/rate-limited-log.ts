import type { LogEntry } from "@orgloop/sdk";

const WINDOW_MS = 60_000;

/** Logs `rate.limited` once a route and minute, with the deliveries that wait then. */
export function rateLimitedLog(
  target: string,
  log: (entry: Omit<LogEntry, "timestamp">) => void,
  now: () => number,
): (route: string, waiting: number) => void {
  const loggedMs = new Map<string, number>();
  return (route, waiting) => {
    const lastMs = loggedMs.get(route) ?? Number.NEGATIVE_INFINITY;
    if (now() - lastMs < WINDOW_MS) return;
    loggedMs.set(route, now());
    log({ phase: "rate.limited", route, target, metadata: { waiting } });
  };
}
