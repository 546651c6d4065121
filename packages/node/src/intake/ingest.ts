import {
  ANY_BODY,
  bodyHash,
  completeEvent,
  emitEntry,
  eventOf,
  type InjectedDraft,
  type Published,
  publicationAgain,
  randomHex,
  unfitLetter,
} from "@orgloop/engine";
import type { CheckEvent } from "@orgloop/engine/event-schemas";
import {
  type DeadLetter,
  hasCode,
  type LogEntry,
  OrgLoopError,
  type OrgLoopEvent,
  type SettlingEventBus,
} from "@orgloop/sdk";
import type { BusWrites } from "../data/bus-writes.ts";
import type { WriteDeadLetter } from "../delivery/write-dead-letter.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Backlog } from "./backlog.ts";
import type { Arrival, Repeats, Admitted as Sorted } from "./repeats.ts";

/** What became of drafts. */
export interface Admitted extends Sorted {
  /** Ids of those that do not fit the schema of their source: dead letters by now. */
  readonly unfit: readonly string[];
}

/** How drafts come in: a source was asked, or was sent them, or somebody puts them in by hand. */
export type Entrance = "poll" | "receive" | "inject";

/**
 * The one place where events enter: drafts are completed and published, where their source has not
 * published them before. Resolves with the events when the bus has them all. Rejects with what the
 * bus said; then any of them may be on the bus, and the same drafts make the same ids again. Waits
 * where too much is undelivered, as long as `patience` (asked for then) is not aborted, and rejects
 * with `BACKLOG_FULL`.
 */
export type Ingest = (
  drafts: readonly InjectedDraft[],
  by: Entrance,
  patience: () => AbortSignal,
) => Promise<Admitted>;

export interface IngestOptions {
  readonly bus: SettlingEventBus;
  readonly writes: BusWrites;
  readonly backlog: Backlog;
  readonly repeats: Pick<Repeats, "admit">;
  readonly project: string;
  /** What runs now. `checkEvent` null: no source has a schema. */
  readonly current: () => { readonly checkEvent: CheckEvent | null };
  readonly writeDeadLetter: WriteDeadLetter;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** Aborted when the process begins to stop. */
  readonly stop: AbortSignal;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

/** What is behind the entrances. */
export interface Intake {
  readonly ingest: Ingest;
  /** One more publication of an event; resolves when it is durable. */
  readonly publishAgain: (event: OrgLoopEvent) => Promise<void>;
}

export function ingest(options: IngestOptions): Intake {
  const { bus, writes, backlog, project: module, clock, log, activity, onFatal } = options;

  async function publish(publications: readonly Published[], nowMs: number): Promise<void> {
    for (const published of publications) {
      backlog.enter(published);
      log(emitEntry(eventOf(published)));
    }
    try {
      await writes.note(bus.publishAll(publications));
    } catch (error) {
      for (const published of publications) backlog.leave(published);
      if (hasCode(error, "WAL_FAILED")) onFatal(error);
      throw error;
    }
    for (const { source } of publications) activity.received(source, 1, nowMs);
  }

  async function room(sources: Iterable<string>, patience: () => AbortSignal): Promise<void> {
    for (const source of sources) {
      if (backlog.hasRoom(source) || (await backlog.room(source, patience()))) continue;
      throw new OrgLoopError("BACKLOG_FULL", `${source}: too many of its events wait for delivery`);
    }
  }

  async function take(
    drafts: readonly InjectedDraft[],
    by: Entrance,
    patience: () => AbortSignal,
  ): Promise<Admitted> {
    await room(new Set(drafts.map((draft) => draft.source)), patience);
    const nowMs = clock.wall();
    const arrivals = drafts.map((draft): Arrival => {
      const event = completeEvent(draft, { source: draft.source, module, nowMs, randomHex });
      return { event, body: bodyOf(draft, by) };
    });
    if (by !== "inject") return admit(arrivals, nowMs, options, publish);
    const events = arrivals.map(({ event }) => event);
    // An id that somebody wrote may be on the bus already: each publication is one of its own.
    const given = (at: number): boolean => drafts[at]?.id !== undefined;
    await publish(
      events.map((event, at) => (given(at) ? publicationAgain(event, randomHex()) : event)),
      nowMs,
    );
    return { events, repeats: [], unfit: [] };
  }

  return {
    ingest: take,
    async publishAgain(event) {
      await room([event.source], () => options.stop);
      await publish([publicationAgain(event, randomHex())], clock.wall());
    },
  };
}

type Publish = (publications: readonly Published[], nowMs: number) => Promise<void>;

/**
 * What does not fit is durable as dead letters before anything is published: a request that fails
 * between is sent again, and makes the same letters.
 */
async function admit(
  arrivals: readonly Arrival[],
  nowMs: number,
  { current, writeDeadLetter, repeats }: IngestOptions,
  publish: Publish,
): Promise<Admitted> {
  const { checkEvent: check } = current();
  const keep = (published: readonly Published[]) => publish(published, nowMs);
  if (check === null) return { ...(await repeats.admit(arrivals, keep)), unfit: [] };
  const unfit = new Set<Arrival>();
  const letters: DeadLetter[] = [];
  for (const arrival of arrivals) {
    const error = check(arrival.event);
    if (error === null) continue;
    unfit.add(arrival);
    letters.push(unfitLetter(arrival.event, error, nowMs));
  }
  if ((await Promise.all(letters.map(writeDeadLetter))).includes(false)) {
    throw new OrgLoopError("DRAINING", "the process is stopping");
  }
  const fit = arrivals.filter((arrival) => !unfit.has(arrival));
  const admitted = await repeats.admit(fit, keep);
  const events = admitted.events.values();
  return {
    // Each in the place where it came.
    events: arrivals.map((arrival) =>
      unfit.has(arrival) ? arrival.event : (events.next().value as OrgLoopEvent),
    ),
    repeats: admitted.repeats,
    unfit: Array.from(unfit, ({ event }) => event.id),
  };
}

/** What an id that was given stands for; null where none was. */
function bodyOf({ identity, payload }: InjectedDraft, by: Entrance): string | null {
  if (identity === undefined) return null;
  return by === "poll" ? ANY_BODY : bodyHash(payload);
}
