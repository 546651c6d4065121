import { dirname } from "node:path";
import { encodeChecked } from "./checked-line.ts";
import { type FileSystem, type OpenFile, writeFully } from "./file-system.ts";
import type { Place } from "./read-lines.ts";

export type Bodies = AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;

/** A file of checksummed lines that has just been written. */
export interface RewrittenLines {
  readonly file: OpenFile;
  readonly size: number;
  /** Of the bodies, in order; line 0 is ours. */
  readonly places: readonly Place[];
}

const CHUNK_BYTES = 1024 ** 2;

/** The first line of a file, number 0. */
export const headerLine = (generation: number): Buffer =>
  encodeChecked(0, JSON.stringify({ format: 1, generation }));

/**
 * Replaces the file at `path` by one with these bodies, atomically: whoever opens it later, also
 * after a power cut, finds the old contents or the new ones. Its name is durable once the caller
 * has synced the directory. `announce` is called before it takes the name.
 */
export async function rewriteLines(
  path: string,
  fileSystem: FileSystem,
  generation: number,
  bodies: Bodies,
  announce: (lines: number) => Promise<void>,
): Promise<RewrittenLines> {
  const temporary = `${path}.tmp`;
  const file = await fileSystem.open(temporary, "replace");
  const places: Place[] = [];
  let size = 0;
  try {
    for await (const chunk of chunks(generation, bodies, places)) {
      await writeFully(file, chunk, size);
      size += chunk.length;
    }
    await file.sync();
    await announce(places.length);
    await fileSystem.rename(temporary, path);
  } catch (error) {
    await file.close().catch(() => undefined);
    await fileSystem.remove(temporary).catch(() => undefined);
    throw error;
  }
  return { file, size, places };
}

/** The same, with its name durable and the file closed again. */
export async function replaceLines(
  path: string,
  fileSystem: FileSystem,
  generation: number,
  bodies: Bodies,
  announce: (lines: number) => Promise<void>,
): Promise<{ readonly lines: number }> {
  const { file, places } = await rewriteLines(path, fileSystem, generation, bodies, announce);
  await file.close();
  await fileSystem.syncDirectory(dirname(path));
  return { lines: places.length };
}

/** Lines put together to chunks worth a write. */
async function* chunks(generation: number, bodies: Bodies, places: Place[]) {
  let waiting: Buffer[] = [headerLine(generation)];
  let bytes = (waiting[0] as Buffer).length;
  let offset = bytes;
  for await (const body of bodies) {
    const line = encodeChecked(places.length + 1, body);
    places.push({ offset, length: line.length });
    offset += line.length;
    waiting.push(line);
    bytes += line.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}
