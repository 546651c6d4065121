import { type Poll, type PollSourceOptions, pollSource } from "@orgloop/host";
import { isRetryAfter, type LogEntry, messageOf, type Source } from "@orgloop/sdk";
import pLimit from "p-limit";
import type { Activity } from "./activity.ts";
import { type Clock, waitUntil } from "./clock.ts";
import type { Ingest } from "./ingest.ts";
import {
  afterPollError,
  CLOSED_SOURCE,
  SOURCE_COOLDOWN_MS,
  type SourceCircuit,
  sourceHealth,
} from "./source-circuit.ts";

/** A source that is polled. */
export interface PolledSource {
  readonly id: string;
  readonly source: Source & Required<Pick<Source, "poll">>;
  readonly intervalMs: number;
}

export interface PollLoopOptions
  extends Omit<PollSourceOptions, "id" | "source" | "keep" | "onCheckpoint" | "deadlineMs"> {
  readonly ingest: Ingest;
  readonly sources: readonly PolledSource[];
  /** Most polls at a time, over all sources. */
  readonly concurrency: number;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  readonly clock: Clock;
}

/** What is known of a polled source. */
export interface PollState {
  circuit: SourceCircuit;
  checkpoint: string | null;
  lastPollMs: number | null;
}

export interface PollLoop {
  readonly states: ReadonlyMap<string, PollState>;
  start(): void;
  /** Resolves when the last poll has ended, after `stop` was aborted. */
  readonly ended: Promise<void>;
}

/** How far an interval is spread to either side, so that sources that started together do not stay together. */
const JITTER = 0.1;
/** The first polls of many sources are spread by this much each, and by no more than a tenth of the interval. */
const START_SPREAD_MS = 10;
const POLL_DEADLINE_MS = 120_000;
/** How soon a source is polled again after the host could not keep what it gave. */
const HOST_RETRY_MS = 10_000;

/**
 * Polls every source at once, then at its interval; never two polls of one source at a time. A source that fails five times in a
 * row is left alone for a minute.
 */
export function pollLoop(options: PollLoopOptions): PollLoop {
  const { sources, concurrency, clock, stop } = options;
  const limit = pLimit(concurrency);
  const states = new Map<string, PollState>(
    sources.map(({ id }) => [id, { circuit: CLOSED_SOURCE, checkpoint: null, lastPollMs: null }]),
  );
  const stopped = waitUntil(clock, Number.POSITIVE_INFINITY, stop);
  const spreadMs = START_SPREAD_MS * (sources.length - 1);

  async function run(polled: PolledSource): Promise<void> {
    const state = states.get(polled.id) as PollState;
    const firstMs = clock.random() * Math.min(spreadMs, polled.intervalMs * JITTER);
    if (firstMs > 0) await waitUntil(clock, clock.now() + firstMs, stop);
    while (!stop.aborted) {
      const poll = await limit(() => pollOnce(polled, state, options));
      if (poll === null || poll.result.kind === "stopped") return;
      const nextMs = judge(polled, state, poll, options);
      await waitUntil(clock, nextMs, stop);
      await Promise.race([poll.released, stopped]);
    }
  }

  const ended = Promise.withResolvers<void>();
  return {
    states,
    ended: ended.promise,
    start() {
      void Promise.all(sources.map(run)).then(() => ended.resolve(), ended.reject);
    },
  };
}

async function pollOnce(
  { id, source }: PolledSource,
  state: PollState,
  options: PollLoopOptions,
): Promise<Poll | null> {
  const { clock, stop, log, ingest } = options;
  if (stop.aborted) return null;
  if (state.circuit.open) log({ phase: "source.circuit_retry", source: id });
  state.lastPollMs = clock.now();
  return pollSource({
    ...options,
    id,
    source,
    deadlineMs: POLL_DEADLINE_MS,
    keep(drafts, patience) {
      const sourced = drafts.map((draft) => ({ ...draft, source: id }));
      return ingest(sourced, () => patience);
    },
    onCheckpoint: (checkpoint) => {
      state.checkpoint = checkpoint;
    },
  });
}

/** Logs what came of a poll, and says when the next is due. */
function judge(
  { id, source, intervalMs }: PolledSource,
  state: PollState,
  { result }: Poll,
  { clock, log, activity }: PollLoopOptions,
): number {
  const nowMs = clock.now();
  const regularMs = nowMs + intervalMs * (1 - JITTER + 2 * JITTER * clock.random());
  const hinted = (): number =>
    Math.min(regularMs, Math.max(nowMs, source.nextPoll?.(nowMs) ?? Number.POSITIVE_INFINITY));
  if (result.kind !== "failed") {
    if (state.circuit.open) log({ phase: "source.circuit_close", source: id });
    state.circuit = CLOSED_SOURCE;
    return hinted();
  }
  const { error, by } = result;
  const metadata = { by };
  log({ phase: "source.error", source: id, error: messageOf(error), metadata });
  activity.sourceFailed(id);
  if (by === "host") return nowMs + Math.min(intervalMs, HOST_RETRY_MS);
  if (isRetryAfter(error)) return Math.max(regularMs, nowMs + error.retryAfterMs);
  const wasOpen = state.circuit.open;
  state.circuit = afterPollError(state.circuit);
  if (!state.circuit.open) return regularMs;
  if (!wasOpen) {
    const result = sourceHealth(state.circuit);
    log({ phase: "source.circuit_open", source: id, result, error: messageOf(error) });
  }
  return nowMs + SOURCE_COOLDOWN_MS;
}
