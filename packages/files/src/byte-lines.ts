import type { OpenFile } from "./file-system.ts";
import type { Place } from "./read-lines.ts";

const LINE_END = 0x0a;
const CHUNK_BYTES = 1024 ** 2;

/** A line as it stands in its file. */
export interface ByteLine {
  /** Without the line end; held until the next lines are asked for. */
  readonly bytes: Buffer;
  /** Its line end included. */
  readonly place: Place;
  /** False for what follows the last line end. */
  readonly ended: boolean;
}

/**
 * The lines of a file from `offset` on, in order, many at once. Memory: one chunk and the longest
 * line.
 */
export async function* byteLines(file: OpenFile, offset = 0): AsyncGenerator<readonly ByteLine[]> {
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  /** The pieces of a line that is longer than the chunk so far. */
  let pieces: Buffer[] = [];
  let start = offset;
  for (let position = offset; ; ) {
    const count = await file.read(chunk, position);
    if (count === 0) break;
    position += count;
    const lines: ByteLine[] = [];
    let from = 0;
    for (let end = find(chunk, 0, count); end !== -1; end = find(chunk, from, count)) {
      const part = chunk.subarray(from, end);
      const bytes = pieces.length === 0 ? part : Buffer.concat([...pieces, part]);
      pieces = [];
      lines.push({ bytes, place: { offset: start, length: bytes.length + 1 }, ended: true });
      start += bytes.length + 1;
      from = end + 1;
    }
    if (lines.length > 0) yield lines;
    if (from < count) pieces.push(Buffer.from(chunk.subarray(from, count)));
  }
  if (pieces.length === 0) return;
  const bytes = Buffer.concat(pieces);
  yield [{ bytes, place: { offset: start, length: bytes.length }, ended: false }];
}

function find(chunk: Buffer, from: number, count: number): number {
  const end = chunk.indexOf(LINE_END, from);
  return end < count ? end : -1;
}
