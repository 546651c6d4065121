import type { LogEntry } from "@orgloop/sdk";

/** What an operator should look at. */
export type AlertKind = "breaker_open" | "dead_letters" | "backpressure" | "actor_gone";

/** What it is about; never an event. */
export interface AlertAbout {
  readonly route?: string;
  /** The actor's id. */
  readonly target?: string;
  readonly error?: string;
}

/**
 * Says it once a kind, route and window, and then how often it has happened since: never once an
 * event.
 */
export type Alert = (kind: AlertKind, about: AlertAbout) => void;

export interface AlertsOptions {
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly now: () => number;
  /** Default: 1 h. */
  readonly windowMs?: number;
}

interface Raised {
  atMs: number;
  /** Since then. */
  count: number;
}

const WINDOW_MS = 3_600_000;

export function alerts({ log, now, windowMs = WINDOW_MS }: AlertsOptions): Alert {
  const raised = new Map<string, Raised>();
  return (kind, about) => {
    const { route, target } = about;
    const key = JSON.stringify([kind, route, target]);
    const last = raised.get(key) ?? { atMs: Number.NEGATIVE_INFINITY, count: 0 };
    raised.set(key, last);
    last.count += 1;
    if (now() - last.atMs < windowMs) return;
    log({ ...about, phase: "alert", result: kind, metadata: { count: last.count } });
    Object.assign(last, { atMs: now(), count: 0 });
  };
}
