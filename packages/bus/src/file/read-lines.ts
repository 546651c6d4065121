import { join } from "node:path";
import type { FileSystem, OpenFile } from "@orgloop/stores";
import { corruptError } from "./errors.ts";
import { readFully } from "./file-bytes.ts";
import { checksumFits } from "./line.ts";
import type { Position, Segment } from "./segment.ts";

/** Lines nearer to each other than this are read together. */
const GAP_BYTES = 16 * 1024;
const RUN_BYTES = 1024 * 1024;

/**
 * Reads lines in the order of `positions`, neighbours in one read, and checks each against its checksum. The bytes hold until
 * the next line is asked for. Throws `WAL_CORRUPT`.
 */
export async function* readLines(
  dir: string,
  positions: readonly Position[],
  fileSystem: FileSystem,
): AsyncGenerator<Buffer> {
  let file: OpenFile | null = null;
  let open: Segment | null = null;
  try {
    for (let first = 0; first < positions.length; ) {
      const { segment, offset } = positions[first] as Position;
      if (segment !== open) {
        await file?.close();
        file = await fileSystem.open(join(dir, segment.name), "read");
        open = segment;
      }
      const after = endOfRun(positions, first);
      const last = positions[after - 1] as Position;
      const run = Buffer.allocUnsafe(last.offset + last.length - offset);
      const count = await readFully(file as OpenFile, run, offset);
      for (; first < after; first += 1) {
        const position = positions[first] as Position;
        const start = position.offset - offset;
        const end = start + position.length;
        if (end > count || !checksumFits(run, start, end - 1)) {
          const reason = "its checksum does not fit any more";
          throw corruptError(dir, { file: segment.name, line: 0, offset: position.offset, reason });
        }
        yield run.subarray(start, end);
      }
    }
  } finally {
    await file?.close();
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
