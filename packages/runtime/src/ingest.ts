import { completeEvent, emitEntry, type InjectedDraft } from "@orgloop/core";
import { randomHex } from "@orgloop/host";
import {
  hasCode,
  type LogEntry,
  OrgLoopError,
  type OrgLoopEvent,
  type SettlingEventBus,
} from "@orgloop/sdk";
import type { Activity } from "./activity.ts";
import type { Backlog } from "./backlog.ts";
import type { BusWrites } from "./bus-writes.ts";
import type { Clock } from "./clock.ts";

/**
 * The one place where events enter: drafts are completed and published. Resolves with the events when the bus has them
 * all. Rejects with what the bus said; then any of them may be on the bus, and the same drafts make the same ids again.
 * Waits where too much is undelivered, as long as `patience` (asked for then) is not aborted, and rejects with `BACKLOG_FULL`.
 */
export type Ingest = (
  drafts: readonly InjectedDraft[],
  patience: () => AbortSignal,
) => Promise<readonly OrgLoopEvent[]>;

export interface IngestOptions {
  readonly bus: SettlingEventBus;
  readonly writes: BusWrites;
  readonly backlog: Backlog;
  readonly project: string;
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly activity: Activity;
  /** The bus can no longer be trusted. */
  readonly onFatal: (error: unknown) => void;
}

export function ingest(options: IngestOptions): Ingest {
  const { bus, writes, backlog, project: module, clock, log, activity, onFatal } = options;
  return async (drafts, patience) => {
    for (const source of new Set(drafts.map((draft) => draft.source))) {
      if (backlog.hasRoom(source) || (await backlog.room(source, patience()))) continue;
      throw new OrgLoopError("BACKLOG_FULL", `${source}: too many of its events wait for delivery`);
    }
    const nowMs = clock.now();
    const events = drafts.map((draft) =>
      completeEvent(draft, { source: draft.source, module, nowMs, randomHex }),
    );
    for (const event of events) {
      backlog.enter(event);
      log(emitEntry(event));
    }
    try {
      await writes.note(bus.publishAll(events));
    } catch (error) {
      for (const event of events) backlog.leave(event);
      if (hasCode(error, "WAL_FAILED")) onFatal(error);
      throw error;
    }
    for (const { source } of events) activity.received(source, 1, nowMs);
    return events;
  };
}
