import { join, relative, sep } from "node:path";
import {
  type FileSystem,
  type MadeFiles,
  nodeFileSystem,
  readWhole,
  replaceFile,
} from "@orgloop/files";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { isDiskFull } from "./bus-writes.ts";

/**
 * What the files of a data directory look like. 1: lines of the stores have no checksum, the log
 * has no high-water mark, and no file says the number; 2: they have. A release reads its own format
 * and the one before.
 */
export const DATA_FORMAT = 2;

const FILE = "format.json";

interface Format {
  readonly format: number;
  /** What was ever made, relative to the directory; an earlier release kept no such list. */
  readonly files: readonly string[];
}

/**
 * Says in a data directory, which must be locked, that its files are of this release's format from
 * now on. Resolves with what was made there. Throws `DATA_FORMAT` where they are of a newer one, or
 * the file that says so cannot be read. On a full disk a missing number is written by a later
 * start.
 */
export async function claimFormat(
  dir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<MadeFiles> {
  const { format, files } = await readFormat(dir, fileSystem);
  const made = madeFiles(dir, files, fileSystem);
  if (format === DATA_FORMAT) return made;
  if (format > DATA_FORMAT) {
    throw new OrgLoopError(
      "DATA_FORMAT",
      `${dir} was written by a newer release (format ${format}, this one knows ${DATA_FORMAT}): start that release, or choose another data directory`,
    );
  }
  try {
    await write(dir, files, fileSystem);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
  }
  return made;
}

/** Which files a data directory says that it has; changes nothing. Throws `DATA_FORMAT`. */
export async function listedFiles(
  dir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<Pick<MadeFiles, "has">> {
  return madeFiles(dir, (await readFormat(dir, fileSystem)).files, fileSystem);
}

function madeFiles(dir: string, before: readonly string[], fileSystem: FileSystem): MadeFiles {
  const files = new Set(before);
  const nameOf = (path: string) => relative(dir, path).replaceAll(sep, "/");
  let writing: Promise<void> = Promise.resolve();
  return {
    has: (path) => files.has(nameOf(path)),
    async add(path) {
      const name = nameOf(path);
      if (!files.has(name)) {
        files.add(name);
        // What cannot be written now stands in the next list, or is added by the next start.
        writing = writing.then(() => write(dir, [...files], fileSystem)).catch(() => undefined);
      }
      await writing;
    },
  };
}

async function write(dir: string, files: readonly string[], fileSystem: FileSystem): Promise<void> {
  const text = JSON.stringify({ format: DATA_FORMAT, files: files.toSorted() });
  await replaceFile(join(dir, FILE), `${text}\n`, fileSystem);
}

async function readFormat(dir: string, fileSystem: FileSystem): Promise<Format> {
  const path = join(dir, FILE);
  return parse(path, await textOf(path, fileSystem));
}

async function textOf(path: string, fileSystem: FileSystem): Promise<string | null> {
  try {
    return await readWhole(path, fileSystem);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

function parse(path: string, text: string | null): Format {
  if (text === null) return { format: 1, files: [] };
  try {
    const { format, files } = JSON.parse(text) as { format: unknown; files?: unknown };
    if (Number.isSafeInteger(format) && Number(format) > 0) {
      return { format: Number(format), files: Array.isArray(files) ? files.map(String) : [] };
    }
  } catch {
    // Said below.
  }
  throw new OrgLoopError(
    "DATA_FORMAT",
    `${path} does not say which format the data have: restore it; it is {"format":${DATA_FORMAT}} where this release wrote them last`,
  );
}
