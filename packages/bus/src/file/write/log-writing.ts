import { hasCode, type LogEntry, messageOf } from "@orgloop/sdk";
import { systemTimer } from "../../dispatch.ts";
import type { FileBusOptions } from "../file-bus-options.ts";
import type { Recovered } from "../read/recover.ts";
import type { UnsettledEvents } from "../unsettled-events.ts";
import type { SealedLog } from "./compact.ts";
import { GroupCommit } from "./group-commit.ts";
import type { HighWaterFile } from "./high-water-file.ts";
import { LogWriter } from "./log-writer.ts";
import { Maintenance } from "./maintenance.ts";

/** Tells of what the log does to its files. */
export type Report = (phase: LogEntry["phase"], metadata: object, error?: Error) => void;

/** How the disk takes the log. */
export class LogHealth {
  /** A sync failed: nothing is known of the disk any more. */
  failed: Error | null = null;
  /** The log was removed: it takes acks, but no events. */
  removed: Error | null = null;
  /** Resolves with what failed. */
  readonly failure = Promise.withResolvers<Error>();
  /** Resolves when the disk has refused something. */
  readonly refused = Promise.withResolvers<void>();
}

/**
 * What writes to the log: lines in groups, to the last segment; and what keeps the others small.
 */
export interface LogWriting {
  readonly group: GroupCommit;
  readonly writer: LogWriter;
  readonly maintenance: Maintenance;
  readonly health: LogHealth;
  readonly report: Report;
}

export interface LogWritingOptions {
  readonly bus: FileBusOptions;
  readonly recovered: Recovered;
  readonly log: SealedLog;
  readonly highWater: HighWaterFile;
  readonly events: UnsettledEvents;
  /** The log has failed: nothing more is handed over. */
  readonly onFailed: () => void;
}

/** Sealed segments are compacted when less than this share of their bytes is unsettled. */
export const COMPACT_BELOW = 0.5;

export async function openWriting(options: LogWritingOptions): Promise<LogWriting> {
  const { bus, recovered, log, events, onFailed } = options;
  const report = reporter(bus);
  const health = new LogHealth();
  const maintenance = new Maintenance({
    log,
    compactBelow: bus.compactBelow ?? COMPACT_BELOW,
    unsettled: () => events.unsettled(),
    beforeForgetting: async () => bus.notes?.keep(writer.segment.through),
    report,
    onFreed: () => group.poke(),
    onFailed: (error) => group.fail(error),
  });
  const writer = await openWriter(options, maintenance, report);
  const group = new GroupCommit({
    nextSeq: recovered.nextSeq,
    setTimer: bus.setTimer ?? systemTimer,
    writer,
    onRefused(error, kept) {
      report("system.error", { kept_lines: kept }, error);
      if (hasCode(error, "WAL_REMOVED")) health.removed = error;
      health.refused.resolve();
      maintenance.start({ compaction: true });
    },
    onFailed(error) {
      health.failed = error;
      report("system.error", {}, error);
      onFailed();
      health.failure.resolve(error);
    },
  });
  return { group, writer, maintenance, health, report };
}

function openWriter(
  { bus, recovered, log, highWater, events }: LogWritingOptions,
  maintenance: Maintenance,
  report: Report,
): Promise<LogWriter> {
  const { dir, fileSystem, directory, segments } = log;
  return LogWriter.open(
    {
      dir,
      fileSystem,
      directory,
      highWater,
      now: bus.now ?? Date.now,
      open: recovered.opens + 1,
      maxBytes: bus.rotate?.maxBytes ?? 64 * 1024 * 1024,
      maxAgeMs: bus.rotate?.maxAgeMs ?? 3_600_000,
      unsettled: () => events.unsettled(),
      sealed: segments,
      onSettled: () => maintenance.start({ compaction: false }),
      onRotated(segment, next) {
        segments.push(segment);
        report("wal.rotate", { sealed: segment.name, bytes: segment.size, next: next.name });
        maintenance.start({ compaction: true });
      },
      onRotateRefused: (error) => report("wal.rotate", {}, error),
    },
    recovered.tail,
    recovered.nextSeq,
  );
}

function reporter({ dir, onEvent, now = Date.now }: FileBusOptions): Report {
  return (phase, metadata, error) =>
    onEvent?.({
      timestamp: new Date(now()).toISOString(),
      phase,
      ...(error === undefined ? {} : { error: messageOf(error) }),
      metadata: { dir, ...metadata },
    });
}
