import { readdir, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { parseDuration, parseSize } from "@orgloop/sdk";
import { createStream, type RotatingFileStream } from "rotating-file-stream";
import type { Rotation } from "./config.ts";

/**
 * What rotation appends to the file's name: the time, with a number from the second file of a
 * millisecond on, and `.gz`.
 */
const SUFFIX = /^\.\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-\d{3}Z(-\d+)?(\.gz)?$/;

export interface RotatingFile {
  /**
   * Resolves when the text is handed to the operating system. After a rejection the next write
   * opens the file anew.
   */
  write(text: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * A file that is put aside when it reaches `max_size`, as `NAME.TIME.gz`, the way OrgLoop 0.7.9
 * named them. Of what lies aside, also from before, what is too old or too many is deleted at open
 * and at each rotation.
 */
export function rotatingFile(path: string, rotation: Rotation, now: () => number): RotatingFile {
  let pruning = Promise.resolve();
  const prune = () => {
    pruning = pruning.then(() => pruneRotated(path, rotation, now())).catch(() => undefined);
  };
  const open = () => {
    const opened = createStream((time, index) => rotatedName(path, time, index), {
      path: dirname(path),
      size: `${parseSize(rotation.max_size)}B`,
      ...(rotation.compress ? { compress: "gzip", omitExtension: true } : {}),
    });
    const forget = () => {
      if (stream === opened) stream = undefined;
    };
    return opened.on("error", forget).on("close", forget).on("open", prune);
  };
  // At once: so that the file is there for `tail -f`.
  let stream: RotatingFileStream | undefined = open();
  return {
    write(text) {
      stream ??= open();
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      stream.write(text, (error) => (error ? reject(error) : resolve()));
      return promise;
    },
    async close() {
      const closing = stream;
      if (closing !== undefined) {
        await new Promise<void>((resolve) => closing.once("close", resolve).end());
      }
      await pruning;
    },
  };

  function rotatedName(name: string, time: number | Date | null, index = 1): string {
    if (time === null) return basename(name);
    const stamp = new Date(time).toISOString().replace(/[:.]/g, "-");
    return `${basename(name)}.${stamp}${index > 1 ? `-${index}` : ""}${rotation.compress ? ".gz" : ""}`;
  }
}

async function pruneRotated(path: string, rotation: Rotation, nowMs: number): Promise<void> {
  const dir = dirname(path);
  const base = basename(path);
  const names = (await readdir(dir)).filter(
    (name) => name.startsWith(base) && SUFFIX.test(name.slice(base.length)),
  );
  const oldestMs = nowMs - parseDuration(rotation.max_age);
  const newestFirst = names.sort().reverse();
  for (const [index, name] of newestFirst.entries()) {
    const file = join(dir, name);
    const tooOld = async () => (await stat(file)).mtimeMs < oldestMs;
    if (index >= rotation.max_files || (await tooOld())) await rm(file, { force: true });
  }
}
