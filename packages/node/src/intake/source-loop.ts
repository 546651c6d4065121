import { type Poll, type PollSourceOptions, pollSource } from "@orgloop/engine";
import { type IllList, isRetryAfter, type LogEntry, messageOf, type Source } from "@orgloop/sdk";
import type { LimitFunction } from "p-limit";
import type { InUse } from "../apply/in-use.ts";
import { type Clock, waitUntil } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import { noteLists } from "../telemetry/list-health.ts";
import type { Ingest } from "./ingest.ts";
import {
  afterPollError,
  CLOSED_SOURCE,
  SOURCE_COOLDOWN_MS,
  type SourceCircuit,
  sourceHealth,
} from "./source-circuit.ts";
import type { SourceWaits } from "./source-waits.ts";

/** A source that is polled. */
export interface PolledSource {
  readonly id: string;
  readonly source: InUse<Source & Required<Pick<Source, "poll">>>;
  readonly intervalMs: number;
}

/** What is known of a polled source. */
export interface PollState {
  circuit: SourceCircuit;
  checkpoint: string | null;
  lastPollMs: number | null;
  /** What the source could not read last time, while it goes on with the rest. */
  illLists: readonly IllList[];
}

export interface SourceLoopOptions extends Pick<PollSourceOptions, "checkpoints"> {
  readonly ingest: Ingest;
  /** Bounds the polls at a time, over all sources. */
  readonly limit: LimitFunction;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly clock: Clock;
  /** Default: what a source asks for is forgotten with the process. */
  readonly waits?: SourceWaits;
}

/** One source that is being polled. */
export interface SourceLoop {
  readonly polled: PolledSource;
  /**
   * Waits no longer than the new interval for the next poll, unless the source is being left alone.
   */
  reschedule(intervalMs: number): void;
  /** Begins no further poll; `cut`: ends the one in flight too. */
  end(cut: boolean): void;
  /** Resolves when no poll is in flight, and none will be. */
  readonly ended: Promise<void>;
}

/**
 * How far an interval is spread to either side, so that sources that started together do not stay
 * together.
 */
export const POLL_JITTER = 0.1;
const POLL_DEADLINE_MS = 120_000;
/**
 * How often the time that a source has named is looked at: the machine's clock may be set past it.
 */
const LAP_MS = 30_000;
/** How soon a source is polled again after the host could not keep what it gave. */
const HOST_RETRY_MS = 10_000;

/**
 * Polls a source `firstMs` after `before` has resolved, then at its interval; never two polls at a
 * time. A source that fails five times in a row is left alone for a minute, or its interval where
 * that is longer.
 */
export function sourceLoop(
  polled: PolledSource,
  state: PollState,
  { firstMs, before }: { readonly firstMs: number; readonly before: Promise<void> },
  options: SourceLoopOptions,
): SourceLoop {
  const { clock, limit } = options;
  const last = new AbortController();
  const cut = new AbortController();
  const over = waitUntil(clock, Number.POSITIVE_INFINITY, last.signal);
  let { intervalMs } = polled;
  let dueMs = 0;
  let nudge = new AbortController();

  async function wait(next: NextPoll): Promise<void> {
    ({ dueMs } = next);
    for (let nowMs = clock.now(); !last.signal.aborted && nowMs < dueMs; nowMs = clock.now()) {
      nudge = new AbortController();
      const isHinted = next.hintMs < Number.POSITIVE_INFINITY;
      await waitUntil(clock, isHinted ? Math.min(dueMs, nowMs + LAP_MS) : dueMs, nudge.signal);
      if (clock.wall() >= next.hintMs) return;
    }
  }

  async function run({ part: source }: PolledSource["source"]): Promise<void> {
    await before;
    await wait({ dueMs: clock.now() + firstMs, hintMs: NEVER });
    while (!last.signal.aborted) {
      const poll = await limit(() =>
        last.signal.aborted ? null : pollOnce(polled.id, source, state, cut.signal, options),
      );
      if (poll === null || poll.result.kind === "stopped") return;
      const result = noteLists({ ...options, id: polled.id, source }, state, poll.result);
      await wait(judge({ ...polled, intervalMs }, state, { ...poll, result }, options));
      await Promise.race([poll.released, over]);
    }
  }

  return {
    polled,
    ended: polled.source.use(() => run(polled.source)),
    reschedule(toMs) {
      const nowMs = clock.now();
      const regular = !state.circuit.open && dueMs - nowMs <= intervalMs * (1 + POLL_JITTER);
      intervalMs = toMs;
      if (!regular || nowMs + toMs >= dueMs) return;
      dueMs = nowMs + toMs;
      nudge.abort();
    },
    end(alsoInFlight) {
      last.abort();
      nudge.abort();
      if (alsoInFlight) cut.abort();
    },
  };
}

function pollOnce(
  id: string,
  source: PolledSource["source"]["part"],
  state: PollState,
  stop: AbortSignal,
  options: SourceLoopOptions,
): Promise<Poll> {
  const { clock, log, ingest } = options;
  if (state.circuit.open) log({ phase: "source.circuit_retry", source: id });
  state.lastPollMs = clock.wall();
  return pollSource({
    ...options,
    id,
    source,
    stop,
    deadlineMs: POLL_DEADLINE_MS,
    keep(drafts, patience) {
      const sourced = drafts.map((draft) => ({ ...draft, source: id }));
      return ingest(sourced, "poll", () => patience);
    },
    onCheckpoint: (checkpoint) => {
      state.checkpoint = checkpoint;
    },
  });
}

/**
 * When a source is polled next, at the latest; `hintMs`: earlier where the machine's clock has come
 * there.
 */
interface NextPoll {
  readonly dueMs: number;
  readonly hintMs: number;
}

const NEVER = Number.POSITIVE_INFINITY;

/** The source reckons by the machine's clock, the wait goes by the other. */
function hinted(source: Source, regularMs: number, { now, wall }: Clock): NextPoll {
  const wallMs = wall();
  const hintMs = hintOf(source, wallMs);
  return { dueMs: Math.min(regularMs, now() + Math.max(0, hintMs - wallMs)), hintMs };
}

/** Logs what came of a poll, and says when the next is due. */
function judge(
  { id, source: { part }, intervalMs }: PolledSource,
  state: PollState,
  { result }: Poll,
  { clock, log, activity, waits }: SourceLoopOptions,
): NextPoll {
  const nowMs = clock.now();
  const isAsked = result.kind === "failed" && result.by !== "host" && isRetryAfter(result.error);
  waits?.keep(id, isAsked ? nowMs + result.error.retryAfterMs : null);
  const after = (dueMs: number): NextPoll => ({ dueMs, hintMs: NEVER });
  const regularMs = nowMs + intervalMs * (1 - POLL_JITTER + 2 * POLL_JITTER * clock.random());
  if (result.kind !== "failed") {
    if (state.circuit.open) log({ phase: "source.circuit_close", source: id });
    state.circuit = CLOSED_SOURCE;
    return hinted(part, regularMs, clock);
  }
  const { error, by } = result;
  const metadata = { by };
  log({ phase: "source.error", source: id, error: messageOf(error), metadata });
  activity.sourceFailed(id);
  if (by === "host") return after(nowMs + Math.min(intervalMs, HOST_RETRY_MS));
  if (isRetryAfter(error)) return after(Math.max(regularMs, nowMs + error.retryAfterMs));
  const wasOpen = state.circuit.open;
  state.circuit = afterPollError(state.circuit);
  if (!state.circuit.open) return after(regularMs);
  if (!wasOpen) {
    const result = sourceHealth(state.circuit);
    log({ phase: "source.circuit_open", source: id, result, error: messageOf(error) });
  }
  // A rest that is shorter than the interval would ask what is ill more often than what is well.
  return after(Math.max(regularMs, nowMs + SOURCE_COOLDOWN_MS));
}

/** When the source says that the next poll is worth while; what is no time is none. */
function hintOf(source: Source, nowMs: number): number {
  try {
    const hint: unknown = source.nextPoll?.(nowMs);
    return typeof hint === "number" && !Number.isNaN(hint) ? hint : NEVER;
  } catch {
    return NEVER;
  }
}
