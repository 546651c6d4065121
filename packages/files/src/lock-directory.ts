import { truncateSync } from "node:fs";
import { readFile, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { OrgLoopError } from "@orgloop/sdk";
import { nodeFileSystem } from "./file-system.ts";

/** Who holds a directory: what stands in its `lock.json`, for messages only. */
export interface LockHolder {
  readonly pid: number;
  readonly command: string;
  /** ISO 8601, UTC. */
  readonly since: string;
  /** What it runs, e.g. the project's directory. */
  readonly purpose?: string;
}

export interface DirectoryLock {
  /** Gives the directory free; fine to call twice. */
  release(): Promise<void>;
}

/**
 * Holds a directory (made where missing) against every other process, and against a second holder
 * in this one, until it is released or the process ends in whatever way: the kernel drops the lock,
 * so nothing stale is ever left behind. The lock is SQLite's exclusive one on `lock.db`. Throws
 * `LOCKED`, naming the holder.
 *
 * No one may open `lock.db` in this process by other means: closing it would drop the lock (POSIX,
 * fcntl).
 */
export async function lockDirectory(
  dir: string,
  options: { readonly purpose?: string } = {},
): Promise<DirectoryLock> {
  await nodeFileSystem.makeDirectory(dir);
  const database = acquire(join(dir, "lock.db"));
  if (database === null) throw await lockedError(dir);
  const note = join(dir, "lock.json");
  const holder: LockHolder = {
    pid: process.pid,
    command: process.argv.slice(1).join(" "),
    since: new Date().toISOString(),
    ...options,
  };
  // For messages only: a full disk must not keep a process from its lock.
  await writeFile(note, `${JSON.stringify(holder)}\n`, { mode: 0o600 }).catch(() => undefined);
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      await unlink(note).catch(() => undefined);
      database.close();
    },
  };
}

const SQLITE_BUSY = 5;

/**
 * Of a file that is no database: nothing is ever written to it, so whatever stands in it is damage,
 * and means nothing.
 */
const SQLITE_NOTADB = 26;
const SQLITE_CORRUPT = 11;

/** Null where someone else holds it. */
function acquire(file: string, mended = false): DatabaseSync | null {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // Nothing is written: a journal on the disk would need room, and a start on a full disk must
    // get its lock.
    database.exec("PRAGMA journal_mode = MEMORY");
    database.exec("BEGIN EXCLUSIVE");
    return database;
  } catch (error) {
    database.close();
    const code = error instanceof Error && "errcode" in error ? error.errcode : null;
    if (code === SQLITE_BUSY) return null;
    if (mended || (code !== SQLITE_NOTADB && code !== SQLITE_CORRUPT)) throw error;
    truncateSync(file);
    return acquire(file, true);
  }
}

async function lockedError(dir: string): Promise<OrgLoopError> {
  const holder = await readNote(dir);
  const who =
    holder === "unknown"
      ? "another process"
      : `process ${holder.pid} (${holder.command || "unnamed"}${holder.purpose === undefined ? "" : `, ${holder.purpose}`})`;
  return new OrgLoopError(
    "LOCKED",
    `${dir} is in use by ${who}: stop it first, or choose another data directory`,
  );
}

async function readNote(dir: string): Promise<LockHolder | "unknown"> {
  try {
    return JSON.parse(await readFile(join(dir, "lock.json"), "utf8")) as LockHolder;
  } catch {
    return "unknown";
  }
}
