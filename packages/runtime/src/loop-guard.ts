import type { LoopCheck, LoopDetector } from "@orgloop/core";
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
    const check = detector.check(event, now());
    if (check.verdict === "none") return null;
    const result = resultOf(check, event);
    const { id: event_id, trace_id, source, type: event_type } = event;
    const metadata = { chain_depth: check.depth, chain: check.chain.links.map(({ id }) => id) };
    const phase = check.verdict === "broken" ? "loop.circuit_broken" : "loop.detected";
    log({ phase, event_id, trace_id, source, event_type, result, metadata });
    return check.verdict === "broken" ? result : null;
  };
}

function resultOf({ verdict, depth }: LoopCheck, { trace_id, source, type }: OrgLoopEvent): string {
  return verdict === "broken"
    ? `event ${depth} or later of the trace ${trace_id}: the loop is broken here`
    : `event ${depth} of the trace ${trace_id}, ${source} ${type}: a loop?`;
}
