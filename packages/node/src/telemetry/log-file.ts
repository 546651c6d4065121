import { join } from "node:path";
import { AppendedFile, type FileSystem, nodeFileSystem, paced } from "@orgloop/files";
import type { LogEntry, Logger } from "@orgloop/sdk";

export interface LogFileOptions {
  /**
   * The files are `events.jsonl` and, rotated, `events-TIME-N.jsonl` in here. Made where missing.
   */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** Bytes of one file; default 64 MB. */
  readonly maxBytes?: number;
  /** Rotated files that are kept; default 10. */
  readonly maxFiles?: number;
}

/** What may wait for the disk, in characters; what comes on top of it is dropped and counted. */
const BUFFER_LIMIT = 16 * 1024 ** 2;
const RETRY_AFTER_MS = 5_000;

/**
 * The event log: JSON Lines in rotated files. It never makes the pipeline wait and never fails it:
 * what a slow or full disk does not take is dropped, and counted in a line of its own once the disk
 * takes lines again.
 */
export function logFile(options: LogFileOptions): Required<Logger> {
  let waiting = "";
  let writing = 0;
  let dropped = 0;
  let failedAtMs: number | null = null;
  let closed = false;
  let turn: Promise<void> = Promise.resolve();
  const file = rotated(options);

  async function write(): Promise<void> {
    if (failedAtMs !== null && performance.now() - failedAtMs < RETRY_AFTER_MS) return;
    failedAtMs = null;
    const lines = waiting;
    waiting = "";
    if (lines === "") return;
    writing = lines.length;
    try {
      await file.append(lines);
    } catch {
      failedAtMs = performance.now();
      dropped += lines.split("\n").length - 1;
    }
    writing = 0;
  }

  function append(line: string): void {
    waiting += line;
    writeSoon();
  }

  const writeSoon = paced(() => {
    turn = turn.then(write);
  });

  /** Resolves when the disk has all of it, or has failed. */
  function flush(): Promise<void> {
    turn = turn.then(write);
    return turn;
  }

  return {
    log(entry: LogEntry) {
      if (waiting.length + writing > BUFFER_LIMIT) {
        dropped += 1;
        return;
      }
      if (dropped > 0 && failedAtMs === null) {
        append(droppedLine(entry, dropped));
        dropped = 0;
      }
      append(`${JSON.stringify(entry)}\n`);
    },
    flush,
    async close() {
      await flush();
      if (!closed) await file.close().catch(() => undefined);
      closed = true;
    },
  };
}

function droppedLine({ timestamp }: LogEntry, dropped: number): string {
  const error = `${dropped} log entries were dropped: the disk did not keep up`;
  return `${JSON.stringify({ timestamp, phase: "system.error", error })}\n`;
}

/** One file, which gives its name to the next where it has grown. */
function rotated({
  dir,
  fileSystem = nodeFileSystem,
  maxBytes = 64 * 1024 ** 2,
  maxFiles = 10,
}: LogFileOptions) {
  const path = join(dir, "events.jsonl");
  let file: AppendedFile | null = null;
  let made = false;

  async function rotate(): Promise<void> {
    await close();
    const time = new Date().toISOString().replace(/[:.]/g, "-");
    const names = new Set(await fileSystem.list(dir));
    let number = 1;
    while (names.has(`events-${time}-${number}.jsonl`)) number += 1;
    await fileSystem.rename(path, join(dir, `events-${time}-${number}.jsonl`));
    await prune();
  }

  async function prune(): Promise<void> {
    const old = (await fileSystem.list(dir)).filter((name) => /^events-.+\.jsonl$/.test(name));
    for (const name of old.sort().slice(0, Math.max(0, old.length - maxFiles))) {
      await fileSystem.remove(join(dir, name));
    }
  }

  async function opened(): Promise<AppendedFile> {
    if (file === null) {
      // Once: who deletes the data directory does not get it back.
      if (!made) await fileSystem.makeDirectory(dir);
      made = true;
      file = await AppendedFile.open(path, fileSystem);
    }
    return file;
  }

  async function close(): Promise<void> {
    const before = file;
    file = null;
    await before?.close();
  }

  return {
    close,
    async append(lines: string): Promise<void> {
      if (file?.isRemoved()) await close();
      if ((await opened()).size >= maxBytes) await rotate();
      await (await opened()).append(lines);
    },
  };
}
