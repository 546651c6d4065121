import { crc32 } from "@node-rs/crc32";
import { type OpenFile, readFully } from "@orgloop/files";

const CHUNK_BYTES = 1024 * 1024;

/** Bytes and CRC-32 of a whole file; the next chunk is read while this one is summed. */
export async function sumFile(file: OpenFile): Promise<{ bytes: number; crc: number }> {
  let chunk = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let spare = Buffer.allocUnsafeSlow(CHUNK_BYTES);
  let bytes = 0;
  let crc = 0;
  for (let reading = readFully(file, chunk, 0); ; ) {
    const count = await reading;
    bytes += count;
    const full = count === CHUNK_BYTES;
    if (full) reading = readFully(file, spare, bytes);
    crc = crc32(full ? chunk : chunk.subarray(0, count), crc);
    if (!full) return { bytes, crc };
    [chunk, spare] = [spare, chunk];
  }
}
