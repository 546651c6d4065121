import { join } from "node:path";
import { crc32 } from "@node-rs/crc32";
import { type FileSystem, type OpenDirectory, type OpenFile, writeFully } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { failedError, removedError } from "../format/errors.ts";
import { indexOf, openBody, type Seal } from "../format/first-line.ts";
import type { Batch } from "../format/line.ts";
import type { LoggedEvent, PendingLine } from "../format/pending-lines.ts";
import { ordinaryName, type Segment } from "../format/segment.ts";
import type { HighWaterFile } from "./high-water-file.ts";

export interface LogWriterOptions {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  /** `dir`, held open: syncing a name must not need a descriptor. */
  readonly directory: OpenDirectory;
  readonly highWater: HighWaterFile;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly now: () => number;
  /** How often the log was opened, this time included. */
  readonly open: number;
  /** Every event whose line, but not its ack, is durable. */
  readonly unsettled: () => Iterable<LoggedEvent>;
  /** The segments before the one that is written to, the oldest first. */
  readonly sealed: readonly Segment[];
  /** Nothing of the oldest of these is wanted any more; told after each batch. */
  readonly onSettled: () => void;
  /** A segment was sealed and `next` holds a durable batch. */
  readonly onRotated: (sealed: Segment, next: Segment) => void;
  /** A new segment could not be begun: the old one goes on. */
  readonly onRotateRefused: (error: Error) => void;
}

/** The last segment as it was found. */
export interface Tail {
  readonly segment: Segment;
  /** CRC-32 of its bytes. */
  readonly crc: number;
  /** In ms since the epoch; null where it has no line yet. */
  readonly beganAt: number | null;
}

/** In between, the old segment goes on: a failed attempt a batch would cost more than it helps. */
const ROTATE_AGAIN_MS = 1_000;

/** Appends to the last segment and begins the next one. The only writer of ordinary segments. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #segment: Segment;
  /** Null where the disk has not let the first segment be begun yet. */
  #file: OpenFile | null;
  /** CRC-32 of the segment. */
  #crc: number;
  #seal: Seal | null = null;
  #beganAt: number;
  #rotated: Segment | null = null;
  #sealFirst = false;
  /** A segment that could not be begun is not tried again before this. */
  #rotateAfter = Number.NEGATIVE_INFINITY;

  private constructor(
    options: LogWriterOptions,
    { segment, crc, beganAt }: Tail,
    file: OpenFile | null,
  ) {
    this.#options = options;
    this.#segment = segment;
    this.#file = file;
    this.#crc = crc;
    this.#beganAt = beganAt ?? options.now();
  }

  /** Goes on with the last segment, or begins one whose first line is number `nextSeq`. */
  static async open(
    options: LogWriterOptions,
    tail: Tail | null,
    nextSeq: number,
  ): Promise<LogWriter> {
    if (tail === null) {
      const segment = emptySegment(nextSeq);
      return new LogWriter(options, { segment, crc: 0, beganAt: null }, null);
    }
    const file = await options.fileSystem.open(join(options.dir, tail.segment.name), "update");
    return new LogWriter(options, tail, file);
  }

  get segment(): Segment {
    return this.#segment;
  }

  /** The next batch begins a segment. */
  sealFirst(): void {
    this.#sealFirst = true;
  }

  /** Resolves when `batch` is durable; its lines have been told where they stand. */
  async append(batch: Batch, renumbered: () => void): Promise<void> {
    const { highWater } = this.#options;
    if (highWater.isStale) await highWater.reopen(this.#segment);
    this.#file ??= (await begin(this.#options, this.#segment.from)).file;
    if (this.#isDue()) await this.#rotate(batch.firstSeq);
    const opening = batch.lines[0]?.body.startsWith('"open"') === true;
    if (this.#segment.size === 0 && (this.#seal !== null || !opening)) {
      batch.renumber(batch.firstSeq, [this.#firstLine()]);
      renumbered();
    }
    const { bytes } = batch;
    const start = this.#segment.size;
    await this.#write(this.#file, bytes);
    this.#segment.size += bytes.length;
    this.#segment.through = batch.nextSeq - 1;
    if (start === 0) await highWater.rotated(this.#segment);
    else highWater.synced(this.#segment);
    this.#crc = crc32(bytes, this.#crc);
    for (const line of batch.lines) {
      line.offset += start;
      line.placed(this.#segment);
    }
    if (this.#rotated !== null) {
      const sealed = this.#rotated;
      this.#rotated = null;
      this.#options.onRotated(sealed, this.#segment);
    }
    if (this.#options.sealed[0]?.live === 0) this.#options.onSettled();
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async #write(file: OpenFile, bytes: Buffer): Promise<void> {
    const { dir } = this.#options;
    try {
      await writeFully(file, bytes, this.#segment.size);
    } catch (error) {
      // Durably: a line that was refused must not come back after a crash.
      try {
        await file.truncate(this.#segment.size);
        await file.sync();
      } catch (cause) {
        throw failedError(dir, "taking back a write that did not fit", cause);
      }
      throw error;
    }
    try {
      await file.sync();
    } catch (cause) {
      throw failedError(dir, `fdatasync of ${this.#segment.name}`, cause);
    }
    if (file.isRemoved()) throw removedError(dir);
  }

  #isDue(): boolean {
    const { maxBytes, maxAgeMs, now } = this.#options;
    const { size } = this.#segment;
    if (size === 0 || now() < this.#rotateAfter) return false;
    if (this.#sealFirst) return true;
    return size >= maxBytes || now() - this.#beganAt >= maxAgeMs;
  }

  async #rotate(firstSeq: number): Promise<void> {
    let begun: { segment: Segment; file: OpenFile };
    try {
      begun = await begin(this.#options, firstSeq);
    } catch (error) {
      if (hasCode(error, "WAL_FAILED")) throw error;
      this.#rotateAfter = this.#options.now() + ROTATE_AGAIN_MS;
      this.#options.onRotateRefused(error as Error);
      return;
    }
    await this.#file?.close().catch(() => undefined);
    const { from, size: bytes } = this.#segment;
    this.#seal = { from, bytes, crc: this.#crc };
    this.#sealFirst = false;
    this.#rotated = this.#segment;
    this.#segment = begun.segment;
    this.#file = begun.file;
    this.#crc = 0;
    this.#beganAt = this.#options.now();
  }

  /** What the opening is told of the segments before this one. */
  #handOver(): Parameters<typeof openBody>[2] {
    const { format } = this.#options.highWater;
    if (this.#seal === null) return format;
    const unsettled = indexOf(this.#options.unsettled());
    return { ...format, sealed: this.#seal, ...(unsettled === null ? {} : { unsettled }) };
  }

  #firstLine(): PendingLine {
    const { open, now } = this.#options;
    return {
      body: openBody(open, now(), this.#handOver()),
      keep: false,
      seq: 0,
      offset: 0,
      length: 0,
      placed: () => undefined,
      done: () => undefined,
      fail: () => undefined,
    };
  }
}

async function begin(
  { dir, fileSystem, directory }: LogWriterOptions,
  from: number,
): Promise<{ segment: Segment; file: OpenFile }> {
  const name = ordinaryName(from);
  const file = await fileSystem.open(join(dir, name), "create");
  try {
    await directory.sync();
  } catch (cause) {
    throw failedError(dir, `fsync of the directory for ${name}`, cause);
  }
  return { segment: emptySegment(from), file };
}

function emptySegment(from: number): Segment {
  return { name: ordinaryName(from), from, through: from - 1, size: 0, live: 0 };
}
