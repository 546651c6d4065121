import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

interface Waiting {
  readonly line: string;
  readonly fsync: boolean;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Characters of one write; more waits for the next. */
const MAX_BATCH_CHARS = 1_000_000;

/**
 * What waits for each file, while something does. Shared by all actors of the process: the end of a
 * file is looked at before each write, and a write of another that is under way would look like a
 * line that was cut.
 */
const queues = new Map<string, Waiting[]>();

/**
 * Appends lines in the order of the calls, all that wait in one write and one fsync. The file is
 * opened anew for each batch, so that it may be rotated or removed from outside. Where a crash or a
 * full disk left a cut line, the next batch begins a new one. Beside another process's write that
 * may leave an empty line, never a mixed one.
 */
export function lineAppender(path: string, fsync: boolean): (line: string) => Promise<void> {
  return (line) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const waiting = queues.get(path);
    const entry = { line, fsync, resolve, reject };
    if (waiting !== undefined) {
      waiting.push(entry);
    } else {
      const queue = [entry];
      queues.set(path, queue);
      void drain(path, queue);
    }
    return promise;
  };
}

async function drain(path: string, waiting: Waiting[]): Promise<void> {
  while (waiting.length > 0) {
    const batch = takeBatch(waiting);
    const text = batch.map(({ line }) => `${line}\n`).join("");
    try {
      await appendBatch(
        path,
        text,
        batch.some(({ fsync }) => fsync),
      );
      for (const { resolve } of batch) resolve();
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
  queues.delete(path);
}

function takeBatch(waiting: Waiting[]): Waiting[] {
  let size = 0;
  let count = 0;
  for (const { line } of waiting) {
    size += line.length;
    if (count > 0 && size > MAX_BATCH_CHARS) break;
    count += 1;
  }
  return waiting.splice(0, count);
}

async function appendBatch(path: string, text: string, fsync: boolean): Promise<void> {
  await using file = await opened(path);
  const bytes = Buffer.from((await endsInsideLine(file)) ? `\n${text}` : text);
  // One write where the disk lets it: appends of other processes cannot come between its lines.
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
  if (fsync) await file.datasync();
}

async function opened(path: string): Promise<FileHandle> {
  try {
    return await open(path, "a+");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    await makeFolder(dirname(path), path);
    return open(path, "a+");
  }
}

/**
 * With its missing parents, one after the other: Node's recursive mkdir never ends where the system
 * says ENOENT though the parent is there, as in /proc.
 */
async function makeFolder(folder: string, path: string): Promise<void> {
  const made = async (): Promise<boolean> => {
    try {
      await mkdir(folder);
      return true;
    } catch (error) {
      if (hasCode(error, "EEXIST")) return true;
      if (hasCode(error, "ENOENT") && dirname(folder) !== folder) return false;
      throw error;
    }
  };
  if (await made()) return;
  await makeFolder(dirname(folder), path);
  if (await made()) return;
  throw new OrgLoopError("FOLDER_NOT_MADE", `${path}: the system makes no folder ${folder}`);
}

async function endsInsideLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] !== 0x0a;
}
