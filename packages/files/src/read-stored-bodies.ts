import { hasCode, messageOf } from "@orgloop/sdk";
import { byteLines } from "./byte-lines.ts";
import { decodeChecked } from "./checked-line.ts";
import { type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.ts";
import { notOwn } from "./open-lines.ts";

export interface ReadStoredBodiesOptions<Line> {
  /** As in `CheckedLinesOptions`. */
  readonly upgrade: (line: string) => string | null;
  /** Throws for a body that is none of its store's. */
  readonly parse: (body: Buffer) => Line;
  readonly fileSystem?: FileSystem;
}

/**
 * What stands in a file of checksummed lines that others may be writing, as far as it can be read;
 * in one without checksums, what `upgrade` makes of its lines. Changes nothing. None where there is
 * no file. Throws `STORE_FOREIGN`.
 */
export async function* readStoredBodies<Line>(
  path: string,
  { upgrade, parse, fileSystem = nodeFileSystem }: ReadStoredBodiesOptions<Line>,
): AsyncGenerator<Line> {
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
        if (body !== null && line?.seq !== 0) yield ownLine(path, body, parse);
      }
    }
  } catch (error) {
    if (hasCode(error, "EISDIR")) throw notOwn(path, "a directory", error);
    throw error;
  } finally {
    await file.close();
  }
}

function ownLine<Line>(path: string, body: Buffer, parse: (body: Buffer) => Line): Line {
  try {
    return parse(body);
  } catch (cause) {
    throw notOwn(path, messageOf(cause), cause);
  }
}

function plain(bytes: Buffer, upgrade: (line: string) => string | null): Buffer | null {
  const body = upgrade(bytes.toString("utf8"));
  return body === null ? null : Buffer.from(body);
}
