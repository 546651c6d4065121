import type { LogEntry, OrgLoopEvent } from "@orgloop/sdk";
import { Fifo } from "../../delivery/collections.ts";
import type { OpenEntry } from "../../ports/log-entries.ts";

/**
 * Longer chains of events under one trace are reported, chains of {@link BREAK_DEPTH} are broken
 * (v1alpha1, section 4).
 */
export const DETECT_DEPTH = 3;
export const BREAK_DEPTH = 5;
/** A trace is forgotten this long after its last event that was let through. */
export const TRACE_WINDOW_MS = 300_000;
const MAX_TRACES = 10_000;

/** Links that are remembered of those that say themselves how deep they are. */
const MAX_LINKS = 16;

interface TraceLink {
  readonly id: string;
  readonly pattern: string;
  /** Where the event says so: how many deliveries led to it. */
  readonly hops?: number;
}

/** What is remembered of a trace: the first of its events, in their order. */
export interface TraceChain {
  readonly links: readonly TraceLink[];
  /** Ms since the epoch. */
  readonly lastMs: number;
  /** The hops of what is depth 1. */
  readonly base?: number;
}

/** `broken`: the event must not be routed. */
export interface LoopCheck {
  readonly verdict: "none" | "detected" | "broken";
  /** The event's place in its trace, from 1. */
  readonly depth: number;
  readonly chain: TraceChain;
}

type Traced = Pick<OrgLoopEvent, "id" | "source" | "type" | "provenance">;

/**
 * An event's place in its trace: deeper than {@link DETECT_DEPTH}, or of a source and type that the
 * trace has seen before it, is a loop; at {@link BREAK_DEPTH} the trace is broken until the window
 * has passed. The same event seen again has the place it had. v1alpha1 counts the events of the
 * trace; one whose `provenance.hops` says how many deliveries led to it (our own webhooks do) is as
 * deep as that, so that what an event fans out into is no loop, however much it is.
 */
export function followTrace(
  before: TraceChain | undefined,
  event: Traced,
  nowMs: number,
): LoopCheck {
  // Also of the future: a clock that ran ahead must not keep a trace broken.
  const isOver = before === undefined || Math.abs(nowMs - before.lastMs) > TRACE_WINDOW_MS;
  const chain: TraceChain = isOver ? { links: [], lastMs: nowMs } : before;
  const hops = hopsOf(event);
  return hops === null ? byCount(chain, event, nowMs) : byHops(chain, event, hops, nowMs);
}

function byCount(before: TraceChain, event: Traced, nowMs: number): LoopCheck {
  const { links } = before;
  const counted = links.filter(({ hops }) => hops === undefined);
  const known = counted.findIndex(({ id }) => id === event.id);
  const depth = (known === -1 ? counted.length : known) + 1;
  const link = { id: event.id, pattern: patternOf(event) };
  const isKept = known !== -1 || counted.length >= BREAK_DEPTH;
  const chain = isKept ? before : { ...before, links: [...links, link], lastMs: nowMs };
  const earlier = counted.slice(0, depth - 1);
  return verdict(
    chain,
    depth,
    earlier.some(({ pattern }) => pattern === link.pattern),
  );
}

function byHops(before: TraceChain, event: Traced, hops: number, nowMs: number): LoopCheck {
  const { links } = before;
  const hasRoot = links.some((link) => link.hops === undefined);
  const base = before.base ?? (hasRoot ? 0 : hops);
  const depth = Math.max(1, hops - base + 1);
  const pattern = patternOf(event);
  const isKnown = links.some(({ id }) => id === event.id);
  const isRepeated = links.some((link) => link.pattern === pattern && (link.hops ?? 0) < hops);
  if (isKnown || depth >= BREAK_DEPTH) return verdict(before, depth, isRepeated);
  const added = links.length < MAX_LINKS ? [...links, { id: event.id, pattern, hops }] : links;
  return verdict({ links: added, lastMs: nowMs, base }, depth, isRepeated);
}

function verdict(chain: TraceChain, depth: number, isRepeated: boolean): LoopCheck {
  if (depth >= BREAK_DEPTH) return { verdict: "broken", depth, chain };
  return { verdict: isRepeated || depth > DETECT_DEPTH ? "detected" : "none", depth, chain };
}

const patternOf = ({ source, type }: Traced): string => `${source}:${type}`;

function hopsOf({ provenance: { hops } }: Traced): number | null {
  return typeof hops === "number" && Number.isSafeInteger(hops) && hops > 0 ? hops : null;
}

export interface LoopDetector {
  check(event: OrgLoopEvent, nowMs: number): LoopCheck;
  /** Traces that are remembered. */
  readonly size: number;
}

/**
 * Traces in memory, at most `maxTraces` (default 10,000): the one that went on least recently is
 * forgotten first.
 */
export function loopDetector({ maxTraces = MAX_TRACES } = {}): LoopDetector {
  const chains = new Map<string, TraceChain>();
  /** The one that went on least recently first. */
  const traces = new Fifo<string>();
  return {
    check(event, nowMs) {
      const before = chains.get(event.trace_id);
      const result = followTrace(before, event, nowMs);
      if (result.chain !== before && result.chain.links.length > 0) {
        chains.set(event.trace_id, result.chain);
        traces.delete(event.trace_id);
        traces.add(event.trace_id);
        if (chains.size > maxTraces) {
          const oldest = traces.first as string;
          chains.delete(oldest);
          traces.delete(oldest);
        }
      }
      return result;
    },
    get size() {
      return chains.size;
    },
  };
}

/**
 * What the log says of a check; `broken`: why the event must not be routed, or null. Null: it is no
 * loop.
 */
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

export interface LoopPorts {
  /** Follows the event's trace, and remembers that it did. */
  readonly followTrace: (event: OrgLoopEvent) => LoopCheck | Promise<LoopCheck>;
  readonly log: (entry: OpenEntry) => void;
}

/**
 * Why an event must not be routed, its trace being a loop; null: it may be. The log hears of loops
 * that are not broken yet, too. A replay is what somebody asks for: never a loop.
 */
export async function brokenLoop(event: OrgLoopEvent, ports: LoopPorts): Promise<string | null> {
  if ((event.replay ?? 0) > 0) return null;
  const found = loopEntry(await ports.followTrace(event), event);
  if (found === null) return null;
  ports.log(found.entry);
  return found.broken;
}
