import { CHECKED_FROM, isSealed, sealLine } from "@orgloop/files";
import type { PendingLine } from "./pending-lines.ts";

/**
 * One line of the log: `{"crc":"xxxxxxxx","seq":N,"batch":B,…}` and a newline. `crc` is the CRC32C,
 * in hex, of the bytes after `{"crc":"xxxxxxxx",` up to the newline; `seq` numbers the lines;
 * `batch` is the `seq` of the first line of the same group commit. What follows is one of
 *
 *     "event":{…},"at":MS,"open":N}      published at MS, when the log was open for the Nth time
 *     "settle":SEQ,"route":"…"}          one route of event SEQ is done with
 *     "ack":SEQ,"note":"…"}              event SEQ is done with; the note only where there is one
 *     "open":N,"at":MS,…}                the log was opened for the Nth time; also the first line
 *                                        of every segment
 *     "close":N,"at":MS,"unsettled":[SEQ,…]}   it was closed: all before it is on the disk
 *     "compacted":{"from":N,"through":N,"records":N}}   first line of a compacted segment
 */
export const LINE_KINDS = ["event", "settle", "ack", "open", "close", "compacted"] as const;
export type LineKind = (typeof LINE_KINDS)[number];

/**
 * The fixed-position part of a line. `ref`: the event's `seq` in a settle or ack, the count in an
 * open or close, else 0.
 */
export interface LineHead {
  kind: LineKind;
  seq: number;
  batch: number;
  ref: number;
  /** An ack that has a note. */
  noted: boolean;
}

/** No line is longer than its body and this many bytes. */
export const MAX_HEAD_BYTES = CHECKED_FROM + '"seq":,"batch":,'.length + 2 * 16 + 1;

/**
 * Writes a line at `offset`, where there must be room, and returns its end. `body` is what follows
 * `"batch":B,`.
 */
export function writeLine(
  into: Buffer,
  offset: number,
  seq: number,
  batch: number,
  body: string,
): number {
  const checked = offset + CHECKED_FROM;
  let end = checked + into.write(`"seq":${seq},"batch":${batch},`, checked, "latin1");
  end += into.write(body, end, "utf8");
  return sealLine(into, offset, end);
}

/** A line of its own, for what is written outside a group commit. */
export function encodeLine(seq: number, batch: number, body: string): Buffer {
  const buffer = Buffer.allocUnsafe(MAX_HEAD_BYTES + Buffer.byteLength(body));
  return buffer.subarray(0, writeLine(buffer, 0, seq, batch, body));
}

/**
 * Reads the head of the line from `start` up to its newline at `end` into `head`; false where it
 * has not exactly the form.
 */
export function readHead(from: Buffer, start: number, end: number, head: LineHead): boolean {
  if (!isSealed(from, start, end) || !matches(from, start + 16, end, SEQ)) return false;
  let at = readNumber(from, start + 16 + SEQ.length, end);
  if (at < 0 || !matches(from, at, end, BATCH)) return false;
  head.seq = number;
  at = readNumber(from, at + BATCH.length, end);
  if (at < 0 || from[at] !== 0x2c) return false;
  head.batch = number;
  at += 1;
  for (let index = 0; index < KEYS.length; index += 1) {
    const key = KEYS[index] as Buffer;
    if (from[at + 1] !== key[1] || !matches(from, at, end, key)) continue;
    head.kind = LINE_KINDS[index] as LineKind;
    head.ref = 0;
    head.noted = false;
    return (
      head.kind === "event" ||
      head.kind === "compacted" ||
      readRef(from, at + key.length, end, head)
    );
  }
  return false;
}

const SEQ = Buffer.from('","seq":');
const BATCH = Buffer.from(',"batch":');
const KEYS = LINE_KINDS.map((kind) => Buffer.from(`"${kind}":`));

function readRef(from: Buffer, at: number, end: number, head: LineHead): boolean {
  const next = readNumber(from, at, end);
  head.ref = number;
  head.noted = head.kind === "ack" && from[next] === 0x2c;
  return next >= 0 && (from[next] === 0x2c || from[next] === 0x7d);
}

function matches(from: Buffer, at: number, end: number, wanted: Buffer): boolean {
  if (at + wanted.length > end) return false;
  for (let index = 0; index < wanted.length; index += 1) {
    if (from[at + index] !== wanted[index]) return false;
  }
  return true;
}

/**
 * What {@link readNumber} read last: a module variable, so that scanning a line allocates nothing.
 */
let number = 0;

/**
 * Reads decimal digits at `at` into {@link number}; returns where they end, -1 where there are none
 * or too many.
 */
function readNumber(from: Buffer, at: number, end: number): number {
  number = 0;
  let next = at;
  for (; next < end; next += 1) {
    const digit = (from[next] as number) - 0x30;
    if (digit < 0 || digit > 9) break;
    number = number * 10 + digit;
  }
  const leadingZero = from[at] === 0x30 && next - at > 1;
  return next === at || next - at > 16 || leadingZero ? -1 : next;
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
const MAX_FREE = 3;

/** Buffers of past batches: a fresh one costs page faults for every byte. */
export class BufferPool {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < MAX_FREE && buffer.length <= LARGEST_KEPT_BYTES)
      this.#free.push(buffer);
  }
}
