import { join } from "node:path";
import { crc32 } from "@node-rs/crc32";
import { type FileSystem, type OpenFile, writeFully } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import type { Batch, PendingLine } from "./batch.ts";
import { failedError } from "./errors.ts";
import { indexOf, openBody, type Seal } from "./first-line.ts";
import type { LoggedEvent } from "./logged-event.ts";
import { ordinaryName, type Segment } from "./segment.ts";

export interface LogWriterOptions {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  readonly now: () => number;
  /** How often the log was opened, this time included. */
  readonly open: number;
  /** Every event whose line, but not its ack, is durable. */
  readonly unsettled: () => Iterable<LoggedEvent>;
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

/** Appends to the last segment and begins the next one. The only writer of ordinary segments. */
export class LogWriter {
  readonly #options: LogWriterOptions;
  #segment: Segment;
  #file: OpenFile;
  /** CRC-32 of the segment. */
  #crc: number;
  #seal: Seal | null = null;
  #beganAt: number;
  #rotated: Segment | null = null;
  #sealFirst = false;

  private constructor(options: LogWriterOptions, { segment, crc, beganAt }: Tail, file: OpenFile) {
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
      const { segment, file } = await begin(options, nextSeq);
      return new LogWriter(options, { segment, crc: 0, beganAt: null }, file);
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
    if (this.#isDue()) await this.#rotate(batch.firstSeq);
    const opening = batch.lines[0]?.body.startsWith('"open"') === true;
    if (this.#segment.size === 0 && (this.#seal !== null || !opening)) {
      batch.renumber(batch.firstSeq, [this.#firstLine()]);
      renumbered();
    }
    const { bytes } = batch;
    const start = this.#segment.size;
    await this.#write(bytes);
    this.#segment.size += bytes.length;
    this.#segment.through = batch.nextSeq - 1;
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
  }

  async close(): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Buffer): Promise<void> {
    const { dir } = this.#options;
    try {
      await writeFully(this.#file, bytes, this.#segment.size);
    } catch (error) {
      // Durably: a line that was refused must not come back after a crash.
      try {
        await this.#file.truncate(this.#segment.size);
        await this.#file.sync();
      } catch (cause) {
        throw failedError(dir, "taking back a write that did not fit", cause);
      }
      throw error;
    }
    try {
      await this.#file.sync();
    } catch (cause) {
      throw failedError(dir, `fdatasync of ${this.#segment.name}`, cause);
    }
  }

  #isDue(): boolean {
    const { maxBytes, maxAgeMs, now } = this.#options;
    const { size } = this.#segment;
    if (this.#sealFirst && size > 0) return true;
    return size >= maxBytes || (size > 0 && now() - this.#beganAt >= maxAgeMs);
  }

  async #rotate(firstSeq: number): Promise<void> {
    let begun: { segment: Segment; file: OpenFile };
    try {
      begun = await begin(this.#options, firstSeq);
    } catch (error) {
      if (hasCode(error, "WAL_FAILED")) throw error;
      this.#options.onRotateRefused(error as Error);
      return;
    }
    await this.#file.close().catch(() => undefined);
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
    if (this.#seal === null) return {};
    const unsettled = indexOf(this.#options.unsettled());
    return { sealed: this.#seal, ...(unsettled === null ? {} : { unsettled }) };
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
  { dir, fileSystem }: LogWriterOptions,
  from: number,
): Promise<{ segment: Segment; file: OpenFile }> {
  const name = ordinaryName(from);
  const file = await fileSystem.open(join(dir, name), "create");
  try {
    await fileSystem.syncDirectory(dir);
  } catch (cause) {
    throw failedError(dir, `fsync of the directory for ${name}`, cause);
  }
  return { segment: { name, from, through: from - 1, size: 0, live: 0 }, file };
}
