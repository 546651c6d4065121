import { hasCode } from "@orgloop/sdk";
import { byteLines } from "./byte-lines.ts";
import { decodeChecked } from "./checked-line.ts";
import { type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.ts";

/**
 * The bodies of a file of checksummed lines that others may be writing, as far as they can be read; of one without checksums, what
 * `upgrade` makes of its lines. Changes nothing. None where there is no file.
 */
export async function* readStoredBodies(
  path: string,
  upgrade: (line: string) => string | null,
  fileSystem: FileSystem = nodeFileSystem,
): AsyncGenerator<Buffer> {
  let file: OpenFile;
  try {
    file = await fileSystem.open(path, "read");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  try {
    for await (const lines of byteLines(file)) {
      for (const { bytes, ended } of lines) {
        const line = ended ? decodeChecked(bytes) : null;
        const body = line?.body ?? plain(bytes, upgrade);
        if (body !== null && line?.seq !== 0) yield body;
      }
    }
  } finally {
    await file.close();
  }
}

function plain(bytes: Buffer, upgrade: (line: string) => string | null): Buffer | null {
  const body = upgrade(bytes.toString("utf8"));
  return body === null ? null : Buffer.from(body);
}
