import type { LogEntry, OrgLoopEvent } from "@orgloop/sdk";

/** Longer chains of events under one trace are reported, chains of {@link BREAK_DEPTH} are broken (v1alpha1, section 4). */
export const DETECT_DEPTH = 3;
export const BREAK_DEPTH = 5;
/** A trace is forgotten this long after its last event that was let through. */
export const TRACE_WINDOW_MS = 300_000;
const MAX_TRACES = 10_000;

/** What is remembered of a trace: its events in their order, no more than {@link BREAK_DEPTH} of them. */
export interface TraceChain {
  readonly links: readonly { readonly id: string; readonly pattern: string }[];
  /** Ms since the epoch. */
  readonly lastMs: number;
}

/** `broken`: the event must not be routed. */
export interface LoopCheck {
  readonly verdict: "none" | "detected" | "broken";
  /** The event's place in its trace, from 1. */
  readonly depth: number;
  readonly chain: TraceChain;
}

/**
 * An event's place in its trace: deeper than {@link DETECT_DEPTH}, or of a source and type that the trace has seen already, is a loop;
 * at {@link BREAK_DEPTH} the trace is broken, for this event and those that follow, until the window has passed. The same event seen
 * again has the place it had.
 */
export function followTrace(
  before: TraceChain | undefined,
  { id, source, type }: Pick<OrgLoopEvent, "id" | "source" | "type">,
  nowMs: number,
): LoopCheck {
  const isOver = before === undefined || nowMs - before.lastMs > TRACE_WINDOW_MS;
  const earlier = isOver ? [] : before.links;
  const pattern = `${source}:${type}`;
  const known = earlier.findIndex((link) => link.id === id);
  const depth = (known === -1 ? earlier.length : known) + 1;
  const isFull = earlier.length >= BREAK_DEPTH;
  const chain =
    known !== -1 || (isFull && before !== undefined)
      ? (before as TraceChain)
      : { links: [...earlier, { id, pattern }], lastMs: nowMs };
  if (depth >= BREAK_DEPTH) return { verdict: "broken", depth, chain };
  const isRepeated = earlier.slice(0, depth - 1).some((link) => link.pattern === pattern);
  return { verdict: isRepeated || depth > DETECT_DEPTH ? "detected" : "none", depth, chain };
}

export interface LoopDetector {
  check(event: OrgLoopEvent, nowMs: number): LoopCheck;
  /** Traces that are remembered. */
  readonly size: number;
}

/** Traces in memory, at most `maxTraces` (default 10,000): the one that went on least recently is forgotten first. */
export function loopDetector({ maxTraces = MAX_TRACES } = {}): LoopDetector {
  const chains = new Map<string, TraceChain>();
  return {
    check(event, nowMs) {
      const before = chains.get(event.trace_id);
      const result = followTrace(before, event, nowMs);
      if (result.chain !== before) {
        chains.delete(event.trace_id);
        chains.set(event.trace_id, result.chain);
        if (chains.size > maxTraces) chains.delete(chains.keys().next().value as string);
      }
      return result;
    },
    get size() {
      return chains.size;
    },
  };
}

/** What the log says of a check; `broken`: why the event must not be routed, or null. Null: it is no loop. */
export function loopEntry(
  check: LoopCheck,
  event: OrgLoopEvent,
): { readonly entry: Omit<LogEntry, "timestamp">; readonly broken: string | null } | null {
  if (check.verdict === "none") return null;
  const result = resultOf(check, event);
  const { id: event_id, trace_id, source, type: event_type } = event;
  const metadata = { chain_depth: check.depth, chain: check.chain.links.map(({ id }) => id) };
  const isBroken = check.verdict === "broken";
  const phase = isBroken ? "loop.circuit_broken" : "loop.detected";
  const entry = { phase, event_id, trace_id, source, event_type, result, metadata } as const;
  return { entry, broken: isBroken ? result : null };
}

function resultOf({ verdict, depth }: LoopCheck, { trace_id, source, type }: OrgLoopEvent): string {
  return verdict === "broken"
    ? `event ${depth} or later of the trace ${trace_id}: the loop is broken here`
    : `event ${depth} of the trace ${trace_id}, ${source} ${type}: a loop?`;
}
