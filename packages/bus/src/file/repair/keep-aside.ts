import { join } from "node:path";
import { type FileSystem, type OpenFile, readFully, writeFully } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";

const COPY_BYTES = 1024 * 1024;

/** Bytes of a file, from `start` to `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Copies bytes of a file of the log into a new one beside it, durably: `wanted`, or with a number
 * where that exists. Resolves with its name.
 */
export async function keepAside(
  dir: string,
  from: OpenFile,
  ranges: readonly ByteRange[],
  wanted: string,
  fileSystem: FileSystem,
): Promise<string> {
  const { name, file } = await createNew(dir, wanted, fileSystem);
  try {
    let position = 0;
    for (const { start, end } of ranges) {
      for (let at = start; at < end; at += COPY_BYTES) {
        const bytes = Buffer.alloc(Math.min(COPY_BYTES, end - at));
        const count = await readFully(from, bytes, at);
        await writeFully(file, bytes.subarray(0, count), position);
        position += count;
      }
    }
    await file.sync();
  } catch (error) {
    await file.close();
    await fileSystem.remove(join(dir, name)).catch(() => undefined);
    throw error;
  }
  await file.close();
  await fileSystem.syncDirectory(dir);
  return name;
}

async function createNew(
  dir: string,
  wanted: string,
  fileSystem: FileSystem,
): Promise<{ name: string; file: OpenFile }> {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted}-${number}`;
    try {
      return { name, file: await fileSystem.open(join(dir, name), "create") };
    } catch (error) {
      if (!hasCode(error, "EEXIST")) throw error;
    }
  }
}
