import {
  isReplay,
  isTarget,
  type Matcher,
  type Pace,
  publicationOfReplay,
  type RecordedEvent as Recorded,
  type RecordedLine,
  type RecordedQuery,
  type ReplayTarget,
  replayPace,
} from "@orgloop/engine";
import type { FileSystem } from "@orgloop/files";
import { type LogEntry, messageOf, type OrgLoopEvent, type SettlingEventBus } from "@orgloop/sdk";
import pLimit from "p-limit";
import { inFlight } from "../apply/in-flight.ts";
import type { Backlog } from "../intake/backlog.ts";
import type { Clock } from "../process/clock.ts";
import type { EventRecorder } from "../telemetry/event-recorder.ts";
import { findRecorded, type RecordedPlace, readRecorded } from "./recorded-events.ts";

type RecordedEvent = Recorded<RecordedPlace>;

export interface EventReplaysOptions {
  /** Where the recorder writes. */
  readonly dir: string;
  readonly fileSystem: FileSystem;
  readonly recorder: EventRecorder;
  readonly bus: SettlingEventBus;
  readonly backlog: Backlog;
  readonly matcher: () => Matcher;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  /** Told of each event that is done with; nothing is to be known of them before a replay. */
  readonly onAcked: Set<(event: OrgLoopEvent) => void>;
  /** Aborted when intake stops. */
  readonly stop: AbortSignal;
}

export interface ReplayRequest extends RecordedQuery {
  /** Only to this route. */
  readonly route?: string;
  /** `N/s`. */
  readonly rate?: string;
  readonly dryRun: boolean;
}

export interface ReplayAnswer {
  readonly dry_run: boolean;
  /** Recorded events as asked for that a route takes. */
  readonly matched: number;
  /** Ids asked for that are not recorded, or that no route takes. */
  readonly not_found: readonly string[];
}

/**
 * Routes recorded events anew (`orgloop replay`). They go over the bus like every event, in the
 * order in which they were first routed, and only so many at a time that they do not crowd out what
 * is new. On a route where a transform dropped an event (a duplicate, say) it is dropped again,
 * unless the event is asked for by its id. A stop ends it: what is on the bus by then is still
 * delivered.
 */
export interface EventReplays {
  /**
   * Resolves when it is known what is to be replayed; does not wait for that. Throws
   * `INVALID_RATE`.
   */
  start(request: ReplayRequest): Promise<ReplayAnswer>;
  /** Resolves when, after the stop, none is put on the bus any more. */
  ended(): Promise<void>;
}

/** Replays on the bus at a time. */
const WINDOW = 100;

export function eventReplays(options: EventReplaysOptions): EventReplays {
  const { dir, fileSystem, recorder, bus, backlog, matcher, clock, log, stop } = options;
  const numbers = replayNumbers();
  const window = replayWindow(backlog, stop);
  const tasks = inFlight();
  /** One after the other: each holds where every event stands that it chooses. */
  const reading = pLimit(1);

  async function replayAll(
    found: readonly RecordedEvent[],
    pace: Pace,
    target: (line: RecordedLine) => ReplayTarget,
  ): Promise<void> {
    for (const recorded of found) {
      if (!(await pace()) || !(await window.room(recorded.source))) return;
      const line = await readRecorded({ dir, fileSystem }, recorded.place);
      if (line === null) continue;
      const published = publicationOfReplay(line.event, numbers.next(recorded), target(line));
      await publish(published, line.event, window, options);
    }
  }

  function acked(published: OrgLoopEvent): void {
    if (!isReplay(published)) return;
    numbers.recorded(published);
    window.leave(published.id);
  }

  return {
    async start({ route, rate, dryRun, ...query }) {
      const pace = replayPace(rate, clock, stop);
      options.onAcked.add(acked);
      await recorder.flush();
      for (const published of await bus.unacked())
        if (isReplay(published)) numbers.learn(published);
      const target = ({ dropped }: RecordedLine): ReplayTarget => ({
        route,
        skip: query.ids === undefined ? dropped : undefined,
      });
      const goes = (line: RecordedLine): boolean =>
        matcher()
          .match(line.event)
          .some(({ name }) => isTarget(name, target(line)));
      const found = await reading(() => findRecorded({ dir, fileSystem }, query, goes));
      const ids = new Set(found.map(({ id }) => id));
      const not_found = [...(query.ids ?? [])].filter((id) => !ids.has(id));
      if (!dryRun) {
        const early = (error: unknown): void =>
          log({ phase: "system.error", error: `the replay ended early: ${messageOf(error)}` });
        tasks.track(replayAll(found, pace, target)).catch(early);
      }
      return { dry_run: dryRun, matched: found.length, not_found };
    },
    async ended() {
      await tasks.ended();
      await recorder.flush();
    },
  };
}

async function publish(
  published: OrgLoopEvent,
  { id: event_id, trace_id }: OrgLoopEvent,
  window: ReplayWindow,
  { bus, backlog, log }: EventReplaysOptions,
): Promise<void> {
  const { source, type: event_type, replay = 0 } = published;
  backlog.enter(published);
  window.enter(published.id);
  try {
    await bus.publish(published);
  } catch (error) {
    window.leave(published.id);
    backlog.leave(published);
    throw error;
  }
  const about = { event_id, trace_id, source, event_type, replay };
  log({ phase: "source.emit", ...about, result: "replay" });
}

/** Counts the replays of an event, also those that the record may not tell of yet. */
function replayNumbers() {
  /** The highest that was given, by event. */
  const given = new Map<string, number>();
  return {
    next({ id, replays }: RecordedEvent): number {
      const next = Math.max(replays, given.get(id) ?? 0) + 1;
      given.set(id, next);
      return next;
    },
    learn({ replay_of, replay }: HeldReplay): void {
      given.set(replay_of, Math.max(given.get(replay_of) ?? 0, replay));
    },
    recorded({ replay_of, replay }: HeldReplay): void {
      if (given.get(replay_of) === replay) given.delete(replay_of);
    },
  };
}

/** What the bus holds of a replay: the id of its event, and which replay of it. */
interface HeldReplay {
  readonly replay_of: string;
  readonly replay: number;
}

type ReplayWindow = ReturnType<typeof replayWindow>;

/** Keeps replays on the bus few enough that they do not crowd out what is new. */
function replayWindow(backlog: Backlog, stop: AbortSignal) {
  const onBus = new Set<string>();
  let wake = Promise.withResolvers<void>();
  stop.addEventListener("abort", () => wake.resolve(), { once: true });
  return {
    /** Resolves false where the stop came first. */
    async room(source: string): Promise<boolean> {
      while (onBus.size >= WINDOW && !stop.aborted) {
        wake = Promise.withResolvers();
        await wake.promise;
      }
      return !stop.aborted && (await backlog.room(source, stop));
    },
    enter: (id: string): unknown => onBus.add(id),
    leave(id: string): void {
      onBus.delete(id);
      wake.resolve();
    },
  };
}
