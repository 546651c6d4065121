import { appendFile, mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RecordedLine } from "@orgloop/core";
import { hasCode, messageOf, type OrgLoopEvent } from "@orgloop/sdk";
import type { Clock } from "./clock.ts";

export interface EventRecorderOptions {
  /** Absolute; made where missing. */
  readonly dir: string;
  /** How long events are kept, in ms (`defaults.event_retention`). */
  readonly retentionMs: () => number;
  /** Bytes of all files together; the oldest go first. Default 1 GB. */
  readonly maxBytes?: number;
  readonly clock: Pick<Clock, "now" | "wall">;
  /** Told, once until it works again, that events are not recorded. */
  readonly warn: (message: string) => void;
}

/**
 * The events that this process has routed, in `DATE/HOUR.jsonl` (UTC, of the routing), for `orgloop replay`. Off the path of deliveries: it
 * is written in batches, not synced, and never waited for; what the disk does not take is not recorded, and said. An event that
 * is handed over again after a crash may stand twice; replays stand beside their event, told by `replay`.
 */
export interface EventRecorder {
  record(event: OrgLoopEvent, dropped: readonly string[]): void;
  /** Resolves when all that was recorded can be read. */
  flush(): Promise<void>;
}

const MAX_BYTES = 1024 ** 3;
/** Events that wait for a disk that does not keep up. */
const MAX_WAITING = 20_000;
const HOUR_MS = 3_600_000;

export function eventRecorder(options: EventRecorderOptions): EventRecorder {
  const { dir, retentionMs, maxBytes = MAX_BYTES, clock, warn } = options;
  let waiting: RecordedLine[] = [];
  let writing: Promise<void> = Promise.resolve();
  let scheduled = false;
  let warned = false;
  let currentFile = "";
  let bytesSincePruning = 0;

  async function write(): Promise<void> {
    scheduled = false;
    const lines = waiting;
    waiting = [];
    for (const [file, text] of byFile(lines)) {
      if (file !== currentFile || bytesSincePruning > maxBytes / 16) {
        await mkdir(join(dir, dirname(file)), { recursive: true, mode: 0o700 });
        // By the clock that nobody sets: a machine's that runs ahead must not empty the record.
        await prune({ dir, keep: file, oldestMs: clock.now() - retentionMs(), maxBytes });
        currentFile = file;
        bytesSincePruning = 0;
      }
      await appendFile(join(dir, file), text, { mode: 0o600 });
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

  return {
    record(event, dropped) {
      if (waiting.length >= MAX_WAITING) return fail("the disk does not keep up");
      const at = new Date(clock.wall()).toISOString();
      waiting.push({ at, event, ...(dropped.length > 0 && { dropped }) });
      if (scheduled) return;
      scheduled = true;
      setImmediate(enqueue);
    },
    async flush() {
      enqueue();
      await writing;
    },
  };
}

/** `2026-11-23/14.jsonl`. */
export function fileOfHour(atMs: number): string {
  const iso = new Date(atMs).toISOString();
  return `${iso.slice(0, 10)}/${iso.slice(11, 13)}.jsonl`;
}

/** The files of the record, oldest first. */
export async function recordFiles(dir: string): Promise<readonly string[]> {
  const files: string[] = [];
  for (const date of (await names(dir)).filter((name) => /^\d{4}-\d\d-\d\d$/.test(name)).sort()) {
    const hours = (await names(join(dir, date))).filter((name) => /^\d\d\.jsonl$/.test(name));
    files.push(...hours.sort().map((hour) => `${date}/${hour}`));
  }
  return files;
}

function byFile(lines: readonly RecordedLine[]): Map<string, string> {
  const texts = new Map<string, string>();
  for (const line of lines) {
    const file = fileOfHour(Date.parse(line.at));
    texts.set(file, `${texts.get(file) ?? ""}${JSON.stringify(line)}\n`);
  }
  return texts;
}

interface Pruning {
  readonly dir: string;
  readonly keep: string;
  readonly oldestMs: number;
  readonly maxBytes: number;
}

async function prune({ dir, keep, oldestMs, maxBytes }: Pruning): Promise<void> {
  let total = 0;
  for (const file of (await recordFiles(dir)).toReversed()) {
    const { size } = await stat(join(dir, file));
    total += size;
    const endMs = Date.parse(`${file.slice(0, 10)}T${file.slice(11, 13)}:00:00Z`) + HOUR_MS;
    if (file === keep || (endMs >= oldestMs && total <= maxBytes)) continue;
    await rm(join(dir, file), { force: true });
    await rmdir(join(dir, dirname(file))).catch(() => undefined);
  }
}

async function names(dir: string): Promise<string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}
