import { join } from "node:path";
import { type FileSystem, nodeFileSystem, readWhole, replaceFile } from "@orgloop/files";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { isDiskFull } from "./disk-full.ts";

/**
 * What the files of a data directory look like. 1: lines of the stores have no checksum, the log has no high-water mark, and no
 * file says the number; 2: they have. A release reads its own format and the one before.
 */
export const DATA_FORMAT = 2;

const FILE = "format.json";

/**
 * Says in a data directory, which must be locked, that its files are of this release's format from now on. Throws
 * `DATA_FORMAT` where they are of a newer one, or the file that says so cannot be read. On a full disk a missing number is
 * written by a later start.
 */
export async function claimFormat(
  dir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<void> {
  const path = join(dir, FILE);
  const format = parse(path, await textOf(path, fileSystem));
  if (format === DATA_FORMAT) return;
  if (format > DATA_FORMAT) {
    throw new OrgLoopError(
      "DATA_FORMAT",
      `${dir} was written by a newer release (format ${format}, this one knows ${DATA_FORMAT}): start that release, or choose another data directory`,
    );
  }
  try {
    await replaceFile(path, `${JSON.stringify({ format: DATA_FORMAT })}\n`, fileSystem);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
}

async function textOf(path: string, fileSystem: FileSystem): Promise<string | null> {
  try {
    return await readWhole(path, fileSystem);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

function parse(path: string, text: string | null): number {
  if (text === null) return 1;
  try {
    const { format } = JSON.parse(text) as { format: unknown };
    if (Number.isSafeInteger(format) && Number(format) > 0) return Number(format);
  } catch {
    // Said below.
  }
  throw new OrgLoopError(
    "DATA_FORMAT",
    `${path} does not say which format the data have: restore it; it is {"format":${DATA_FORMAT}} where this release wrote them last`,
  );
}
