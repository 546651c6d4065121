import { type FileHandle, open, readdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { hasCode, type LogEntry } from "@orgloop/sdk";

const CHUNK_BYTES = 256 * 1024;
/** A line longer than this is no entry of ours: it is skipped, not kept in memory. */
const LINE_LIMIT = 16 * 1024 * 1024;
const FOLLOW_MS = 200;

export interface EventLogOptions {
  /** The directory with the `*.jsonl` files. */
  readonly directory: string;
  /** Goes on at the end until `signal` is aborted. */
  readonly follow: boolean;
  readonly signal: AbortSignal;
}

/** A file by its inode: a rotation renames it, and what was read of it stays read. */
interface OpenLog {
  offset: number;
  /** The bytes after the last line break: a line that is still being written, or torn. */
  rest: Buffer;
}

/**
 * The entries of the event log, oldest file first. Lines that are no entries are skipped; rotation
 * loses none.
 */
export async function* readEventLog(options: EventLogOptions): AsyncGenerator<LogEntry> {
  const logs = new Map<number, OpenLog>();
  for (;;) {
    for (const file of await logFiles(options.directory)) {
      const log = logs.get(file.inode) ?? { offset: 0, rest: Buffer.alloc(0) };
      logs.set(file.inode, log);
      if (file.size < log.offset) Object.assign(log, { offset: 0, rest: Buffer.alloc(0) });
      if (file.size > log.offset) yield* readFrom(file.path, file.inode, log, options.signal);
    }
    if (!options.follow || options.signal.aborted) return;
    await wait(FOLLOW_MS, undefined, { signal: options.signal }).catch(() => {});
  }
}

async function logFiles(directory: string) {
  let names: string[] = [];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const files = await Promise.all(
    names
      .filter((name) => name.endsWith(".jsonl"))
      .map(async (name) => {
        const file = path.join(directory, name);
        const found = await stat(file).catch(() => null);
        return found && { path: file, inode: found.ino, size: found.size, atMs: found.mtimeMs };
      }),
  );
  // Gone between the listing and the look: rotated away.
  const present = files.filter((file) => file !== null);
  return present.sort((a, b) => a.atMs - b.atMs || a.path.localeCompare(b.path));
}

async function* readFrom(
  file: string,
  inode: number,
  log: OpenLog,
  signal: AbortSignal,
): AsyncGenerator<LogEntry> {
  let handle: FileHandle;
  try {
    handle = await open(file);
  } catch (error) {
    if (hasCode(error, "ENOENT")) return;
    throw error;
  }
  try {
    // Another file has taken the name since the listing: the next round finds both.
    if ((await handle.stat()).ino !== inode) return;
    const chunk = Buffer.alloc(CHUNK_BYTES);
    while (!signal.aborted) {
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, log.offset);
      if (bytesRead === 0) return;
      log.offset += bytesRead;
      const bytes = Buffer.concat([log.rest, chunk.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(0x0a) + 1;
      log.rest = bytes.length - end > LINE_LIMIT ? Buffer.alloc(0) : bytes.subarray(end);
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        const entry = parseEntry(line);
        if (entry !== null) yield entry;
      }
    }
  } finally {
    await handle.close();
  }
}

function parseEntry(line: string): LogEntry | null {
  try {
    const entry = JSON.parse(line);
    return typeof entry?.phase === "string" && typeof entry.timestamp === "string" ? entry : null;
  } catch {
    return null;
  }
}
