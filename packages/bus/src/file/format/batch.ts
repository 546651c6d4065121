import { MAX_HEAD_BYTES, writeLine } from "./line.ts";
import type { Segment } from "./segment.ts";

/** A line on its way to the disk, and who waits for it. */
export interface PendingLine {
  /** What follows `"batch":B,`. */
  readonly body: string;
  /** True for what must not be given up when the disk is full: it is tried again. */
  readonly keep: boolean;
  /** Set when the line is encoded. */
  seq: number;
  /** Within the batch, then within the segment. */
  offset: number;
  length: number;
  /** It is durable, at `offset` in `segment`. */
  placed(segment: Segment): void;
  /** Called soon after {@link placed}: whoever waits may be told. */
  done(): void;
  /** It is not on the disk, and will not be. */
  fail(error: Error): void;
}

/**
 * The lines of one group commit, encoded as they come, so that encoding overlaps with the sync of
 * the batch before.
 */
export class Batch {
  readonly lines: PendingLine[] = [];
  readonly #buffers: BufferPool;
  #buffer: Buffer;
  #length = 0;
  #firstSeq: number;

  constructor(firstSeq: number, buffers: BufferPool) {
    this.#firstSeq = firstSeq;
    this.#buffers = buffers;
    this.#buffer = buffers.take();
  }

  get firstSeq(): number {
    return this.#firstSeq;
  }

  get nextSeq(): number {
    return this.#firstSeq + this.lines.length;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  add(line: PendingLine): void {
    this.#encode(line, this.nextSeq);
    this.lines.push(line);
  }

  /** Encodes all lines again, from another number on, with other lines before them. */
  renumber(firstSeq: number, before: readonly PendingLine[] = []): void {
    this.lines.unshift(...before);
    this.#firstSeq = firstSeq;
    this.#length = 0;
    this.lines.forEach((line, index) => {
      this.#encode(line, firstSeq + index);
    });
  }

  /** The buffer may be used again: nobody may hold {@link bytes} any more. */
  release(): void {
    this.#buffers.give(this.#buffer);
  }

  #encode(line: PendingLine, seq: number): void {
    const room = MAX_HEAD_BYTES + line.body.length * 3;
    if (this.#length + room > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#length + room));
      this.#buffer.copy(larger, 0, 0, this.#length);
      this.#buffer = larger;
    }
    line.seq = seq;
    line.offset = this.#length;
    this.#length = writeLine(this.#buffer, this.#length, seq, this.#firstSeq, line.body);
    line.length = this.#length - line.offset;
  }
}

const BUFFER_BYTES = 64 * 1024;
/** Larger ones came from a burst and go back to the allocator. */
const LARGEST_KEPT_BYTES = 16 * 1024 * 1024;
const KEPT = 3;

/** Buffers of past batches: a fresh one costs page faults for every byte. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < KEPT && buffer.length <= LARGEST_KEPT_BYTES) this.#free.push(buffer);
  }
}
