import {
  ANY_BODY,
  againOnBus,
  asPublished,
  bodyHash,
  completeEvent,
  emitEntry,
  type InjectedDraft,
  type Published,
  randomHex,
} from "@orgloop/engine";
import { hasCode, type LogEntry, OrgLoopError, type SettlingEventBus } from "@orgloop/sdk";
import type { BusWrites } from "../data/bus-writes.ts";
import type { Clock } from "../process/clock.ts";
import type { Activity } from "../telemetry/activity.ts";
import type { Backlog } from "./backlog.ts";
import type { Admitted, Arrival, Repeats } from "./repeats.ts";

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
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

export function ingest(options: IngestOptions): Ingest {
  const { bus, writes, backlog, repeats, project: module, clock, log, activity, onFatal } = options;

  async function publish(publications: readonly Published[], nowMs: number): Promise<void> {
    for (const held of publications) {
      backlog.enter(held);
      log(emitEntry(asPublished(held)));
    }
    try {
      await writes.note(bus.publishAll(publications));
    } catch (error) {
      for (const held of publications) backlog.leave(held);
      if (hasCode(error, "WAL_FAILED")) onFatal(error);
      throw error;
    }
    for (const { source } of publications) activity.received(source, 1, nowMs);
  }

  return async (drafts, by, patience) => {
    for (const source of new Set(drafts.map((draft) => draft.source))) {
      if (backlog.hasRoom(source) || (await backlog.room(source, patience()))) continue;
      throw new OrgLoopError("BACKLOG_FULL", `${source}: too many of its events wait for delivery`);
    }
    const nowMs = clock.wall();
    const arrivals = drafts.map((draft): Arrival => {
      const event = completeEvent(draft, { source: draft.source, module, nowMs, randomHex });
      return { event, body: bodyOf(draft, by) };
    });
    if (by !== "inject") return repeats.admit(arrivals, (held) => publish(held, nowMs));
    const events = arrivals.map(({ event }) => event);
    // An id that somebody wrote may be on the bus already: each publication is one of its own.
    const given = (at: number): boolean => drafts[at]?.id !== undefined;
    await publish(
      events.map((event, at) => (given(at) ? againOnBus(event, randomHex()) : event)),
      nowMs,
    );
    return { events, repeats: [] };
  };
}

/** What an id that was given stands for; null where none was. */
function bodyOf({ identity, payload }: InjectedDraft, by: Entrance): string | null {
  if (identity === undefined) return null;
  return by === "poll" ? ANY_BODY : bodyHash(payload);
}
