import { once } from "node:events";
import type { LogEntry, Logger } from "@orgloop/sdk";
import { createStream, type RotatingFileStream } from "rotating-file-stream";

export interface LogFileOptions {
  /** The files are `events.jsonl` and, rotated, `events-TIME-N.jsonl` in here. */
  readonly dir: string;
  /** Bytes of one file; default 64 MB. */
  readonly maxBytes?: number;
  /** Rotated files that are kept; default 10. */
  readonly maxFiles?: number;
}

/** What may wait for the disk, in bytes; what comes on top of it is dropped and counted. */
const BUFFER_LIMIT = 16 * 1024 ** 2;
const REOPEN_AFTER_MS = 5_000;

function fileName(time: number | Date | null, index?: number): string {
  if (time === null) return "events.jsonl";
  return `events-${new Date(time).toISOString().replace(/[:.]/g, "-")}-${index ?? 1}.jsonl`;
}

/**
 * The event log: JSON Lines in rotated files. It never makes the pipeline wait and never fails it: what a slow or full disk does
 * not take is dropped, and counted in a line of its own once the disk takes lines again.
 */
export function logFile({
  dir,
  maxBytes = 64 * 1024 ** 2,
  maxFiles = 10,
}: LogFileOptions): Required<Logger> {
  let lines = "";
  let dropped = 0;
  let scheduled = false;
  let failedAtMs: number | null = null;
  let stream = open();

  function open(): RotatingFileStream {
    const options = {
      path: dir,
      size: `${maxBytes}B`,
      maxFiles,
      history: ".history",
      mode: 0o600,
    } as const;
    const opened = createStream(fileName as Parameters<typeof createStream>[0], options);
    opened.on("error", () => {
      failedAtMs = performance.now();
    });
    opened.on("warning", () => {});
    return opened;
  }

  function write(): void {
    scheduled = false;
    if (failedAtMs !== null) {
      if (performance.now() - failedAtMs < REOPEN_AFTER_MS) return;
      failedAtMs = null;
      stream.destroy();
      stream = open();
    }
    const text = lines;
    lines = "";
    if (text !== "") stream.write(text);
  }

  function append(line: string): void {
    lines += line;
    if (scheduled) return;
    scheduled = true;
    setImmediate(write);
  }

  /** Resolves when the disk has all of it, or has failed. */
  function flush(): Promise<void> {
    write();
    if (failedAtMs !== null) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        stream.off("error", end);
        resolve();
      };
      stream.on("error", end);
      stream.write("", end);
    });
  }

  return {
    log(entry: LogEntry) {
      if (lines.length + stream.writableLength > BUFFER_LIMIT) {
        dropped += 1;
        return;
      }
      if (dropped > 0 && failedAtMs === null) {
        const { timestamp } = entry;
        const error = `${dropped} log entries were dropped: the disk did not keep up`;
        append(`${JSON.stringify({ timestamp, phase: "system.error", error })}\n`);
        dropped = 0;
      }
      append(`${JSON.stringify(entry)}\n`);
    },
    flush,
    async close() {
      await flush();
      if (failedAtMs !== null || stream.destroyed) return;
      const closed = once(stream, "close");
      stream.end();
      await closed;
    },
  };
}
