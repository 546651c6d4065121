import type { CheckpointStore } from "@orgloop/sdk";
import pLimit from "p-limit";
import { forgetCheckpoint } from "../apply/applied.ts";
import { CLOSED_SOURCE } from "./source-circuit.ts";
import {
  POLL_JITTER,
  type PolledSource,
  type PollState,
  type SourceLoop,
  type SourceLoopOptions,
  sourceLoop,
} from "./source-loop.ts";

export interface PollLoopOptions extends Omit<SourceLoopOptions, "limit"> {
  readonly checkpoints: CheckpointStore;
  readonly sources: readonly PolledSource[];
  /** Most polls at a time, over all sources. */
  readonly concurrency: number;
  /** Aborted on drain. */
  readonly stop: AbortSignal;
}

export interface PollLoop {
  readonly states: ReadonlyMap<string, PollState>;
  start(): void;
  /**
   * Goes on with these sources. One that is the same keeps its circuit and its next poll; of one
   * that was made anew the poll in flight ends first; of one that is gone it is cut. `restarted`:
   * those whose checkpoint is forgotten then.
   */
  change(sources: readonly PolledSource[], restarted: readonly string[]): void;
  /** Resolves when the last poll has ended, after `stop` was aborted. */
  readonly ended: Promise<void>;
}

/**
 * The first polls of many sources are spread by this much each, and by no more than a tenth of the
 * interval.
 */
const START_SPREAD_MS = 10;

/** Polls every source at once, then at its interval. */
export function pollLoop(options: PollLoopOptions): PollLoop {
  const { concurrency, clock, stop, checkpoints, waits, log } = options;
  const shared = { ...options, limit: pLimit(concurrency) };
  const states = new Map(options.sources.map(({ id }) => [id, newState()]));
  const loops = new Map<string, SourceLoop>();
  const leaving = leavingSources();

  /** `untilMs`: not before that. */
  function begin(polled: PolledSource, spreadMs: number, untilMs: number): void {
    const { id, intervalMs } = polled;
    const state = states.get(id) ?? newState();
    states.set(id, state);
    const spread = clock.random() * Math.min(spreadMs, intervalMs * POLL_JITTER);
    const firstMs = Math.max(spread, untilMs - clock.now());
    const before = leaving.ended(id);
    const loop = sourceLoop(polled, state, { firstMs, before }, shared);
    if (stop.aborted) loop.end(true);
    loops.set(id, loop);
  }

  stop.addEventListener("abort", () => endAll(loops.values()), { once: true });

  return {
    states,
    start() {
      const spreadMs = START_SPREAD_MS * (options.sources.length - 1);
      for (const polled of options.sources) begin(polled, spreadMs, waits?.until(polled.id) ?? 0);
    },
    change(sources, restarted) {
      const next = new Map(sources.map((polled) => [polled.id, polled]));
      const ended = new Map<string, Promise<void>>();
      for (const [id, loop] of loops) {
        const to = next.get(id);
        if (to?.source === loop.polled.source) {
          loop.reschedule(to.intervalMs);
          continue;
        }
        loop.end(to === undefined || restarted.includes(id));
        loops.delete(id);
        ended.set(id, loop.ended);
        const state = states.get(id);
        waits?.keep(id, null);
        if (to === undefined || restarted.includes(id)) states.delete(id);
        else states.set(id, { ...(state ?? newState()), circuit: CLOSED_SOURCE });
      }
      for (const [id, end] of ended) leaving.add(id, end);
      for (const id of restarted) {
        const forget = () => forgetCheckpoint(id, checkpoints, log);
        leaving.add(id, leaving.ended(id).then(forget));
      }
      const added = sources.filter(({ id }) => !loops.has(id));
      for (const polled of added) begin(polled, START_SPREAD_MS * (added.length - 1), 0);
    },
    get ended() {
      const all = [...loops.values()].map((loop) => loop.ended);
      return Promise.all([...all, ...leaving.all()]).then(() => undefined);
    },
  };
}

/** What must have ended before a source of that id is polled again. */
function leavingSources() {
  const leaving = new Map<string, Promise<void>>();
  return {
    ended: (id: string): Promise<void> => leaving.get(id) ?? Promise.resolve(),
    add(id: string, until: Promise<void>): void {
      const left = Promise.all([leaving.get(id), until]).then(() => {
        if (leaving.get(id) === left) leaving.delete(id);
      });
      leaving.set(id, left);
    },
    all: () => leaving.values(),
  };
}

function endAll(loops: Iterable<SourceLoop>): void {
  for (const loop of loops) loop.end(true);
}

function newState(): PollState {
  return { circuit: CLOSED_SOURCE, checkpoint: null, lastPollMs: null, illLists: [] };
}
