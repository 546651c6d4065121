import { OrgLoopError } from "@orgloop/sdk";
import type { OpenFile } from "./file-system.ts";

/** Reads until `into` is full or the file ends; resolves with the bytes read. */
export async function readFully(file: OpenFile, into: Buffer, position: number): Promise<number> {
  let count = 0;
  while (count < into.length) {
    const more = await file.read(into.subarray(count), position + count);
    if (more === 0) break;
    count += more;
  }
  return count;
}

/**
 * Writes all of `bytes`. Rejects with the code of the operating system, `ENOSPC` also where it
 * takes no byte without saying why.
 */
export async function writeFully(
  file: OpenFile,
  bytes: Uint8Array,
  position: number,
): Promise<void> {
  let count = 0;
  while (count < bytes.length) {
    const more = await file.write(count === 0 ? bytes : bytes.subarray(count), position + count);
    if (more === 0) throw new OrgLoopError("ENOSPC", "the disk takes no more bytes");
    count += more;
  }
}
