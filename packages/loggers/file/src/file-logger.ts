import { homedir } from "node:os";
import { join, resolve } from "node:path";
import {
  type LogEntry,
  type Logger,
  messageOf,
  type PluginContext,
  parseDuration,
} from "@orgloop/sdk";
import { DEFAULT_ROTATION, type FileLoggerConfig } from "./config.ts";
import { rotatingFile } from "./rotating-file.ts";

/** Entries that wait for the disk; what comes on top is lost and counted. */
const MAX_WAITING = 50_000;

/** How often lost entries are reported. */
const REPORT_MS = 60_000;

/**
 * JSONL, one entry a line. What cannot be written is lost, counted, and reported at most once a
 * minute; it never throws.
 */
export function fileLogger(
  config: FileLoggerConfig,
  { id, projectDir, now, warn }: Pick<PluginContext, "id" | "projectDir" | "now" | "warn">,
): Logger {
  const path = absolutePath(config.path, projectDir);
  const file = rotatingFile(path, config.rotation ?? config.rotate ?? DEFAULT_ROTATION, now);
  const flushMs = parseDuration(config.buffer.flush_interval);
  let waiting: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let closed = false;
  const { lose, reportRest } = losses(`logger ${id}`, path, { now, warn });

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await file.write(batch.join("")).catch((error) => lose(batch.length, messageOf(error)));
    }
    writing = undefined;
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    writing ??= drain();
    return writing;
  }

  function add(entry: LogEntry): void {
    if (waiting.length >= MAX_WAITING) return void lose(1, "the disk does not keep up");
    waiting.push(`${JSON.stringify(entry)}\n`);
    if (waiting.length >= config.buffer.size) void flush();
    else timer ??= setTimeout(flush, flushMs).unref();
  }

  return {
    log(entry) {
      if (closed) return;
      try {
        add(entry);
      } catch (error) {
        lose(1, messageOf(error));
      }
    },
    flush,
    async close() {
      if (closed) return;
      closed = true;
      await flush();
      await file.close();
      reportRest("the last ones before closing");
    },
  };
}

/** Counts entries that are lost, and says so once a minute at most. */
function losses(who: string, path: string, { now, warn }: Pick<PluginContext, "now" | "warn">) {
  let lost = 0;
  let reportedMs = Number.NEGATIVE_INFINITY;

  function report(why: string): void {
    warn(`${who}: ${lost} entries could not be written to ${path}: ${why}`);
    lost = 0;
    reportedMs = now();
  }

  return {
    lose(count: number, why: string): void {
      lost += count;
      if (now() - reportedMs >= REPORT_MS) report(why);
    },
    reportRest(why: string): void {
      if (lost > 0) report(why);
    },
  };
}

function absolutePath(path: string, projectDir: string): string {
  return path.startsWith("~/") ? join(homedir(), path.slice(2)) : resolve(projectDir, path);
}
