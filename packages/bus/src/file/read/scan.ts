import { crc32 } from "@node-rs/crc32";
import { checksumFits, type OpenFile, readFully } from "@orgloop/files";
import { type LineHead, readHead } from "../format/line.ts";

/**
 * How a scan ended: after `size` good bytes and `lines` good lines, at the end of the file or at a
 * bad line.
 */
export interface ScanResult {
  readonly size: number;
  readonly lines: number;
  /** CRC-32 of the good bytes. */
  readonly crc: number;
  readonly bad: BadLine | null;
}

export interface BadLine {
  /** From 1. */
  readonly line: number;
  readonly offset: number;
  /** Bytes, with the newline where there is one. */
  readonly length: number;
  readonly reason: string;
}

export interface ScanOptions {
  /**
   * What it was when it was sealed: checked as a whole, which is many times cheaper than line by
   * line.
   */
  readonly sealed?: { readonly bytes: number; readonly crc: number };
  /** Every good line. `head` is reused. A string says why the line is not good after all. */
  readonly onLine: (head: LineHead, offset: number, length: number) => string | null;
  /**
   * A bad line, and the CRC-32 of the bytes before it; true goes on. Default: the scan stops at the
   * first.
   */
  readonly onBad?: (bad: BadLine, crcBefore: number, bytes: Buffer) => boolean;
}

const CHUNK_BYTES = 4 * 1024 * 1024;
/** Room before a chunk for the part of a line that the chunk before it ended with. */
const CARRY_BYTES = 256 * 1024;

/**
 * Reads a segment once, line by line, without parsing JSON; the next chunk is read while this one
 * is scanned. With `sealed`, `bad` also tells of a whole that does not fit: then line 0, and the
 * caller scans again without it.
 */
export async function scanSegment(file: OpenFile, options: ScanOptions): Promise<ScanResult> {
  const { sealed, onLine, onBad } = options;
  const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };
  const chunkBytes = Math.min(CHUNK_BYTES, (await file.size()) + 1);
  const carryBytes = Math.min(CARRY_BYTES, chunkBytes);
  let chunk = Buffer.allocUnsafeSlow(carryBytes + chunkBytes);
  let spare = Buffer.allocUnsafeSlow(chunk.length);
  let lines = 0;
  let crc = 0;
  /** File offset of the first byte not yet scanned. */
  let offset = 0;
  let carried: Buffer = Buffer.alloc(0);
  let reading = readFully(file, chunk.subarray(carryBytes), 0);

  for (let position = 0; ; ) {
    const count = await reading;
    const last = count < chunkBytes;
    position += count;
    const bytes = withCarried(chunk, carried, carryBytes, count);
    if (!last) reading = readFully(file, spare.subarray(carryBytes), position);

    let start = 0;
    for (;;) {
      const end = bytes.indexOf(0x0a, start);
      if (end < 0) break;
      let reason: string | null = "it does not have the form of a line";
      if (readHead(bytes, start, end, head)) {
        reason =
          sealed === undefined && !checksumFits(bytes, start, end)
            ? "its checksum does not fit"
            : onLine(head, offset + start, end + 1 - start);
      }
      lines += 1;
      if (reason !== null) {
        const bad = { line: lines, offset: offset + start, length: end + 1 - start, reason };
        const before = crc32(bytes.subarray(0, start), crc);
        if (!onBad?.(bad, before, bytes.subarray(start, end + 1))) {
          await reading;
          return { size: offset + start, lines: lines - 1, crc: before, bad };
        }
      }
      start = end + 1;
    }
    crc = crc32(bytes.subarray(0, start), crc);
    carried = bytes.subarray(start);
    offset += start;
    if (last) break;
    [chunk, spare] = [spare, chunk];
  }

  const good = { size: offset, lines, crc };
  if (carried.length === 0) return { ...good, bad: misfit(good, sealed) };
  const bad = { line: lines + 1, offset, length: carried.length, reason: "it does not end" };
  onBad?.(bad, crc, carried);
  return { ...good, bad };
}

/** A whole that is not what it was; null where it is, or nobody knows. */
function misfit(
  { size, crc }: Omit<ScanResult, "bad">,
  sealed: ScanOptions["sealed"],
): BadLine | null {
  if (sealed === undefined || (sealed.bytes === size && sealed.crc === crc)) return null;
  const reason = "it is not what it was when it was sealed";
  return { line: 0, offset: 0, length: size, reason };
}

/** The chunk's bytes with the part of a line before them. */
function withCarried(chunk: Buffer, carried: Buffer, carryBytes: number, count: number): Buffer {
  const data = chunk.subarray(carryBytes, carryBytes + count);
  if (carried.length > carryBytes) return Buffer.concat([carried, data]);
  const start = carryBytes - carried.length;
  carried.copy(chunk, start);
  return chunk.subarray(start, carryBytes + count);
}
