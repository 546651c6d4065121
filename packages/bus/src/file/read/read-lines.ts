import { join } from "node:path";
import { checksumFits, type FileSystem, type OpenFile, readFully } from "@orgloop/files";
import { corruptError } from "../format/errors.ts";

import type { Position, Segment } from "../format/segment.ts";

/** Lines nearer to each other than this are read together. */
const GAP_BYTES = 16 * 1024;
const RUN_BYTES = 1024 * 1024;
/** Reads under way at a time: apart, each waits for a thread. */
const AHEAD = 8;

/** Neighbours that are read together. */
interface Run {
  readonly positions: readonly Position[];
  readonly bytes: Promise<Buffer>;
}

/**
 * Reads lines in the order of `positions`, neighbours in one read, and checks each against its
 * checksum. The bytes hold until the next line is asked for. Throws `WAL_CORRUPT`.
 */
export async function* readLines(
  dir: string,
  positions: readonly Position[],
  fileSystem: FileSystem,
): AsyncGenerator<Buffer> {
  const files = new Map<Segment, Promise<OpenFile>>();
  const ahead: Run[] = [];
  let next = 0;
  try {
    for (;;) {
      while (next < positions.length && ahead.length < AHEAD) {
        const after = endOfRun(positions, next);
        const run = positions.slice(next, after);
        next = after;
        const { segment } = run[0] as Position;
        let file = files.get(segment);
        if (file === undefined) {
          file = fileSystem.open(join(dir, segment.name), "read");
          files.set(segment, file);
        }
        const bytes = readRun(file, run);
        bytes.catch(() => undefined);
        ahead.push({ positions: run, bytes });
      }
      const run = ahead.shift();
      if (run === undefined) return;
      yield* linesOf(dir, run, await run.bytes);
      await closeAllBut(files, ahead);
    }
  } finally {
    await Promise.allSettled(ahead.map(({ bytes }) => bytes));
    await closeAllBut(files, []);
  }
}

async function readRun(opening: Promise<OpenFile>, run: readonly Position[]): Promise<Buffer> {
  const first = run[0] as Position;
  const last = run.at(-1) as Position;
  const bytes = Buffer.allocUnsafe(last.offset + last.length - first.offset);
  const count = await readFully(await opening, bytes, first.offset);
  return bytes.subarray(0, count);
}

function* linesOf(dir: string, { positions }: Run, bytes: Buffer): Generator<Buffer> {
  const from = (positions[0] as Position).offset;
  for (const { segment, offset, length } of positions) {
    const start = offset - from;
    const end = start + length;
    if (end > bytes.length || !checksumFits(bytes, start, end - 1)) {
      const reason = `the checksum of the line at byte ${offset} does not fit any more`;
      throw corruptError(dir, { file: segment.name, line: 0, offset, reason });
    }
    yield bytes.subarray(start, end);
  }
}

async function closeAllBut(
  files: Map<Segment, Promise<OpenFile>>,
  wanted: readonly Run[],
): Promise<void> {
  if (files.size <= 1 && wanted.length > 0) return;
  const segments = new Set(wanted.map(({ positions }) => positions[0]?.segment));
  for (const [segment, file] of files) {
    if (segments.has(segment)) continue;
    files.delete(segment);
    await file.then(
      (opened) => opened.close(),
      () => undefined,
    );
  }
}

function endOfRun(positions: readonly Position[], first: number): number {
  const head = positions[first] as Position;
  let end = head.offset + head.length;
  let after = first + 1;
  for (; after < positions.length; after += 1) {
    const next = positions[after] as Position;
    if (next.segment !== head.segment || next.offset < end || next.offset - end > GAP_BYTES) break;
    if (next.offset + next.length - head.offset > RUN_BYTES) break;
    end = next.offset + next.length;
  }
  return after;
}
