import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

interface Waiting {
  readonly line: string;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Bytes of one write; more waits for the next. */
const MAX_BATCH_CHARS = 1_000_000;

/**
 * Appends lines in the order of the calls, all that wait in one write and one fsync. The file is opened anew for each batch, so
 * that it may be rotated or removed from outside. Where a crash or a full disk left a cut line, the next batch begins a new one.
 */
export function lineAppender(path: string, fsync: boolean): (line: string) => Promise<void> {
  const waiting: Waiting[] = [];
  let running = false;

  async function flush(): Promise<void> {
    running = true;
    while (waiting.length > 0) {
      const batch = takeBatch(waiting);
      try {
        await appendBatch(path, batch.map(({ line }) => `${line}\n`).join(""), fsync);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    running = false;
  }

  return (line) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    waiting.push({ line, resolve, reject });
    if (!running) void flush();
    return promise;
  };
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
  await mkdir(dirname(path), { recursive: true });
  await using file = await open(path, "a+");
  const bytes = Buffer.from((await endsInsideLine(file)) ? `\n${text}` : text);
  // One write where the disk lets it: appends of other processes cannot come between its lines.
  for (let written = 0; written < bytes.length; ) {
    written += (await file.write(bytes, written)).bytesWritten;
  }
  if (fsync) await file.datasync();
}

async function endsInsideLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer[0] !== 0x0a;
}
