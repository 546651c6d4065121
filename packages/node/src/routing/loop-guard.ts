import { type LoopDetector, loopEntry } from "@orgloop/engine";
import type { LogEntry, OrgLoopEvent } from "@orgloop/sdk";

export interface LoopGuardOptions {
  readonly detector: LoopDetector;
  readonly now: () => number;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
}

/** Says why an event must not be routed, or null; the log hears of loops. Replays are what somebody asks for: never a loop. */
export type LoopGuard = (event: OrgLoopEvent) => string | null;

export function loopGuard({ detector, now, log }: LoopGuardOptions): LoopGuard {
  return (event) => {
    if ((event.replay ?? 0) > 0) return null;
    const said = loopEntry(detector.check(event, now()), event);
    if (said === null) return null;
    log(said.entry);
    return said.broken;
  };
}
