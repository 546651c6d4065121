import * as fs from "node:fs";
import { mkdir, open, readdir, rename, rmdir, stat, unlink } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

/** An open file. Errors carry the code of the operating system (`ENOSPC`, `EIO`, …). */
export interface OpenFile {
  /**
   * Writes at `position` (bytes) and resolves with the bytes written: fewer than given where the
   * disk is full.
   */
  write(bytes: Uint8Array, position: number): Promise<number>;
  /** Reads at `position` (bytes) and resolves with the bytes read: 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** In bytes. */
  size(): Promise<number>;
  truncate(size: number): Promise<void>;
  /**
   * fdatasync(2): contents and size are durable. A failure is final: the kernel may have dropped
   * the pages.
   */
  sync(): Promise<void>;
  /**
   * True where its name, or the directory that held it, is gone meanwhile or has moved: what is
   * written is lost to the next start. The real one looks at most every {@link LOOK_MS}.
   */
  isRemoved(): boolean;
  close(): Promise<void>;
}

/** A directory that is held open, so that making its names durable needs no descriptor. */
export interface OpenDirectory {
  /** Like {@link FileSystem.syncDirectory}. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * `read` and `update` want the file to exist, `create` wants it not to (`EEXIST`), `replace`
 * empties it.
 */
export type OpenMode = "read" | "update" | "create" | "replace";

/**
 * What durable stores need of a file system, and nothing more, so that a fault-injecting one can
 * stand in for the real one. Creating, renaming and removing a name is durable once {@link
 * FileSystem.syncDirectory} has resolved for its directory.
 */
export interface FileSystem {
  open(path: string, mode: OpenMode): Promise<OpenFile>;
  /** The names in a directory, in no order; `ENOENT` where there is none. */
  list(dir: string): Promise<string[]>;
  /** With all missing parents, durably; fine where it exists. */
  makeDirectory(dir: string): Promise<void>;
  /** An empty one, not durably; `ENOTEMPTY` otherwise. */
  removeDirectory(dir: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  remove(path: string): Promise<void>;
  syncDirectory(dir: string): Promise<void>;
  openDirectory(dir: string): Promise<OpenDirectory>;
}

const FLAGS: Record<OpenMode, string> = {
  read: "r",
  update: "r+",
  create: "wx+",
  replace: "w+",
};

/** Events and checkpoints are the user's alone. */
const FILE_MODE = 0o600;
const DIRECTORY_MODE = 0o700;

/** The real file system. */
export const nodeFileSystem: FileSystem = {
  async open(path, mode) {
    return openFile(await files.open(path, FLAGS[mode], FILE_MODE), dirname(path));
  },
  list: (dir) => readdir(dir),
  async makeDirectory(dir) {
    try {
      await makeOne(dir);
    } catch (error) {
      const parent = dirname(resolve(dir));
      if (!hasCode(error, "ENOENT") || parent === resolve(dir)) throw error;
      // One after the other: Node's recursive mkdir never ends where the system says ENOENT though
      // the parent is there, as in /proc.
      await nodeFileSystem.makeDirectory(parent);
      await makeOne(dir);
    }
  },
  removeDirectory: rmdir,
  rename,
  remove: unlink,
  syncDirectory,
  async openDirectory(dir) {
    const handle = await open(dir, "r");
    return { sync: () => handle.sync(), close: () => handle.close() };
  },
};

/** Makes a directory whose parent is there, durably; fine where it exists. */
async function makeOne(dir: string): Promise<void> {
  try {
    await mkdir(dir, DIRECTORY_MODE);
  } catch (error) {
    if (hasCode(error, "ENOENT") || !(await isDirectory(dir))) throw error;
    return;
  }
  await syncDirectory(dirname(dir));
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

/**
 * Descriptors: a `FileHandle` costs several times as much for each of the log's many small writes.
 */
const files = {
  open: promisify(fs.open),
  write: promisify(fs.write),
  read: promisify(fs.read),
  stat: promisify(fs.fstat),
  truncate: promisify(fs.ftruncate),
  sync: promisify(fs.fdatasync),
  close: promisify(fs.close),
};

/**
 * How old an answer of {@link OpenFile.isRemoved} may be: asked after each sync, the system would
 * cost a webhook a fiftieth.
 */
export const LOOK_MS = 10;

function openFile(descriptor: number, dir: string): OpenFile {
  const home = identity(dir);
  let lookedAt = performance.now();
  let removed = false;
  return {
    write: async (bytes, position) =>
      (await files.write(descriptor, bytes, 0, bytes.length, position)).bytesWritten,
    read: async (into, position) =>
      (await files.read(descriptor, into, 0, into.length, position)).bytesRead,
    size: async () => (await files.stat(descriptor)).size,
    truncate: (size) => files.truncate(descriptor, size),
    sync: () => files.sync(descriptor),
    isRemoved() {
      const now = performance.now();
      if (!removed && now >= lookedAt + LOOK_MS) {
        lookedAt = now;
        removed = fs.fstatSync(descriptor).nlink === 0 || identity(dir) !== home;
      }
      return removed;
    },
    close: () => files.close(descriptor),
  };
}

/**
 * Tells apart a directory and another that stands at the same path later; null where there is none.
 */
function identity(dir: string): string | null {
  const found = fs.statSync(dir, { throwIfNoEntry: false });
  return found === undefined ? null : `${found.dev} ${found.ino}`;
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

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
