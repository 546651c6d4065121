import { dirname, join } from "node:path";
import type { RecordedLine } from "@orgloop/engine";
import { AppendedFile, type FileSystem, nodeFileSystem, paced } from "@orgloop/files";
import { hasCode, messageOf, type OrgLoopEvent } from "@orgloop/sdk";
import type { Clock } from "../process/clock.ts";

export interface EventRecorderOptions {
  /** Absolute; made where missing. */
  readonly dir: string;
  readonly fileSystem?: FileSystem;
  /** How long events are kept, in ms (`defaults.event_retention`). */
  readonly retentionMs: () => number;
  /** Bytes of all files together; the oldest go first. Default 1 GB. */
  readonly maxBytes?: number;
  readonly clock: Pick<Clock, "now" | "wall">;
  /** Told, once until it works again, that events are not recorded. */
  readonly warn: (message: string) => void;
}

/**
 * The events that this process has routed, in `DATE/HOUR.jsonl` (UTC, of the routing), for `orgloop
 * replay`. Off the path of deliveries: it is written in batches, not synced, and never waited for;
 * what the disk does not take is not recorded, and said. An event that is handed over again after a
 * crash may stand twice; replays stand beside their event, told by `replay`.
 */
export interface EventRecorder {
  record(event: OrgLoopEvent, dropped: readonly string[]): void;
  /** Resolves when all that was recorded can be read. */
  flush(): Promise<void>;
  /** Writes what waits; fine to call twice. */
  close(): Promise<void>;
}

const MAX_BYTES = 1024 ** 3;
/** Events that wait for a disk that does not keep up. */
const MAX_WAITING = 20_000;
const HOUR_MS = 3_600_000;

export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  const { dir, fileSystem = nodeFileSystem, retentionMs, maxBytes = MAX_BYTES } = options;
  const { clock, warn } = options;
  let waiting: RecordedLine[] = [];
  let writing: Promise<void> = Promise.resolve();
  let warned = false;
  const files = hourFiles(dir, fileSystem);
  let bytesSincePruning = 0;

  async function write(): Promise<void> {
    const lines = waiting;
    waiting = [];
    for (const [file, text] of byFile(lines)) {
      if (file !== files.name() || bytesSincePruning > maxBytes / 16) {
        // By the clock that nobody sets: a machine's that runs ahead must not empty the record.
        const oldestMs = clock.now() - retentionMs();
        await prune({ dir, fileSystem, keep: file, oldestMs, maxBytes });
        bytesSincePruning = 0;
      }
      await (await files.open(file)).append(text);
      bytesSincePruning += text.length;
    }
    warned = false;
  }

  function fail(reason: string): void {
    if (!warned) warn(`events are not recorded, and cannot be replayed: ${reason}`);
    warned = true;
  }

  function enqueue(): void {
    writing = writing.then(write).catch((error) => fail(messageOf(error)));
  }

  const writeSoon = paced(enqueue);

  return {
    record(event, dropped) {
      if (waiting.length >= MAX_WAITING) return fail("the disk does not keep up");
      const at = new Date(clock.wall()).toISOString();
      waiting.push({ at, event, ...(dropped.length > 0 && { dropped }) });
      writeSoon();
    },
    async flush() {
      enqueue();
      await writing;
    },
    async close() {
      enqueue();
      await writing;
      await files.close();
    },
  };
}

/** The file that is written to: one at a time. */
function hourFiles(dir: string, fileSystem: FileSystem) {
  let current: { readonly name: string; readonly file: AppendedFile } | null = null;
  let made = false;

  async function close(): Promise<void> {
    const before = current;
    current = null;
    await before?.file.close();
  }

  return {
    name: (): string | undefined => current?.name,
    async open(name: string): Promise<AppendedFile> {
      if (current?.name === name && !current.file.isRemoved()) return current.file;
      await close();
      // Who deletes the data directory does not get it back.
      if (made) await fileSystem.list(dir);
      await fileSystem.makeDirectory(join(dir, dirname(name)));
      made = true;
      const file = await AppendedFile.open(join(dir, name), fileSystem);
      current = { name, file };
      return file;
    },
    close,
  };
}

/** `2026-11-23/14.jsonl`, of a time in ISO 8601 (UTC). */
export function fileOfHour(iso: string): string {
  return `${iso.slice(0, 10)}/${iso.slice(11, 13)}.jsonl`;
}

/** The files of the record, oldest first. */
export async function recordFiles(
  dir: string,
  fileSystem: FileSystem = nodeFileSystem,
): Promise<readonly string[]> {
  const files: string[] = [];
  const dates = (await names(dir, fileSystem)).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name));
  for (const date of dates.sort()) {
    const found = await names(join(dir, date), fileSystem);
    const hours = found.filter((name) => /^\d\d\.jsonl$/.test(name));
    files.push(...hours.sort().map((hour) => `${date}/${hour}`));
  }
  return files;
}

function byFile(lines: readonly RecordedLine[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const line of lines) {
    const file = fileOfHour(line.at);
    texts.set(file, `${texts.get(file) ?? ""}${JSON.stringify(line)}\n`);
  }
  return texts;
}

interface Pruning {
  readonly dir: string;
  readonly fileSystem: FileSystem;
  readonly keep: string;
  readonly oldestMs: number;
  readonly maxBytes: number;
}

async function prune({ dir, fileSystem, keep, oldestMs, maxBytes }: Pruning): Promise<void> {
  let total = 0;
  for (const file of (await recordFiles(dir, fileSystem)).toReversed()) {
    total += await sizeOf(join(dir, file), fileSystem);
    const endMs = Date.parse(`${file.slice(0, 10)}T${file.slice(11, 13)}:00:00Z`) + HOUR_MS;
    if (file === keep || (endMs >= oldestMs && total <= maxBytes)) continue;
    await fileSystem.remove(join(dir, file));
    await fileSystem.removeDirectory(join(dir, dirname(file))).catch(() => undefined);
  }
}

async function sizeOf(path: string, fileSystem: FileSystem): Promise<number> {
  const file = await fileSystem.open(path, "read");
  try {
    return await file.size();
  } finally {
    await file.close();
  }
}

async function names(dir: string, fileSystem: FileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(dir);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}
