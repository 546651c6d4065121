import { hasCode, type LogEntry } from "@orgloop/sdk";
import type { LoggedEvent } from "../format/pending-lines.ts";
import { compact, dropSettled, type SealedLog } from "./compact.ts";

export interface MaintenanceOptions {
  readonly log: SealedLog;
  /**
   * Sealed segments are compacted when less than this share of their bytes is unsettled; 0 turns it
   * off.
   */
  readonly compactBelow: number;
  /** Every event whose ack is not durable. */
  readonly unsettled: () => Iterable<LoggedEvent>;
  /** What the lines that go have said is kept elsewhere when it resolves. */
  readonly beforeForgetting: () => Promise<void>;
  readonly report: (phase: LogEntry["phase"], metadata: object, error?: Error) => void;
  /** Space was given free. */
  readonly onFreed: () => void;
  readonly onFailed: (error: Error) => void;
}

/** Keeps the sealed part of the log small, beside publishing, one thing at a time. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #running: Promise<void> | null = null;
  #again = false;
  #compaction = false;
  #stopped = false;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start({ compaction }: { readonly compaction: boolean }): void {
    if (this.#stopped) return;
    this.#compaction ||= compaction;
    this.#again = true;
    this.#running ??= Promise.resolve().then(() => this.#run());
  }

  /** Begins nothing more; resolves when what runs has ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    const { report, onFailed } = this.#options;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#once();
      }
    } catch (error) {
      report("wal.compact", {}, error as Error);
      if (hasCode(error, "WAL_FAILED")) onFailed(error);
    }
    this.#running = null;
  }

  async #once(): Promise<void> {
    const { log, onFreed, report, unsettled, beforeForgetting } = this.#options;
    // What is sealed while notes are being kept has notes that are not: it is for the next time.
    const through = log.segments.at(-1)?.through ?? 0;
    if (this.#compaction || log.segments[0]?.live === 0) await beforeForgetting();
    const bytes = await dropSettled(log, through);
    if (bytes > 0) {
      report("wal.compact", { bytes_before: bytes, bytes_after: 0, events: 0 });
      onFreed();
    }
    if (!this.#wantsCompaction(through)) return;
    const done = await compact(log, through, unsettled());
    report("wal.compact", {
      segments: done.segments,
      bytes_before: done.bytesBefore,
      bytes_after: done.bytesAfter,
      events: done.events,
    });
    onFreed();
  }

  #wantsCompaction(through: number): boolean {
    const wanted = this.#compaction;
    this.#compaction = false;
    let size = 0;
    let live = 0;
    for (const segment of this.#options.log.segments) {
      if (segment.through > through) break;
      size += segment.size;
      live += segment.live;
    }
    return wanted && live < size * this.#options.compactBelow;
  }
}
