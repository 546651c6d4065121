import { hasCode } from "@orgloop/sdk";
import { type FileSystem, nodeFileSystem, type OpenFile } from "./file-system.ts";

const LINE_END = 0x0a;
const CHUNK_BYTES = 64 * 1024;

/** Where a line stands in its file, in bytes, its line end included. */
export interface Place {
  readonly offset: number;
  readonly length: number;
}

/**
 * The whole lines of a file, in order, without their line ends; what follows the last line end is
 * left out. Lines end at `\n` alone: node:readline also splits at U+2028 and U+2029, which may
 * stand in JSON texts.
 */
export async function* readLines(
  file: OpenFile,
  chunkBytes: number,
): AsyncGenerator<{ readonly line: string; readonly place: Place }> {
  const chunk = Buffer.alloc(chunkBytes);
  /** The pieces of a line that is longer than the chunk so far. */
  let pieces: Buffer[] = [];
  let offset = 0;
  for (let position = 0; ; ) {
    const count = await file.read(chunk, position);
    if (count === 0) return;
    position += count;
    const bytes = chunk.subarray(0, count);
    let from = 0;
    for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
      const line = Buffer.concat([...pieces, bytes.subarray(from, end)]);
      const length = line.length + 1;
      yield { line: line.toString("utf8"), place: { offset, length } };
      pieces = [];
      offset += length;
      from = end + 1;
    }
    if (from < count) pieces.push(Buffer.from(bytes.subarray(from)));
  }
}

const SEARCH_BYTES = 1024 ** 2;

/**
 * Those lines of the file at `path` that hold one of `texts`, in order, without their line ends;
 * none where there is no file. For files of which few lines are wanted: what holds none is not made
 * into lines.
 */
export async function* findLines(
  path: string,
  texts: readonly string[],
  fileSystem: FileSystem = nodeFileSystem,
): AsyncGenerator<string> {
  const file = await openThere(path, fileSystem);
  if (file === null) return;
  const wanted = texts.map((text) => Buffer.from(text));
  const isIn = (bytes: Buffer): boolean => wanted.some((one) => bytes.includes(one));
  try {
    const chunk = Buffer.alloc(SEARCH_BYTES);
    let rest: Buffer = Buffer.alloc(0);
    for (let position = 0; ; ) {
      const count = await file.read(chunk, position);
      if (count === 0) return;
      position += count;
      const bytes = Buffer.concat([rest, chunk.subarray(0, count)]);
      const whole = bytes.subarray(0, bytes.lastIndexOf(LINE_END) + 1);
      rest = bytes.subarray(whole.length);
      if (isIn(whole)) yield* linesOf(whole, isIn);
    }
  } finally {
    await file.close();
  }
}

function* linesOf(bytes: Buffer, isWanted: (line: Buffer) => boolean): Generator<string> {
  let from = 0;
  for (let end = bytes.indexOf(LINE_END); end !== -1; end = bytes.indexOf(LINE_END, from)) {
    const line = bytes.subarray(from, end);
    if (isWanted(line)) yield line.toString("utf8");
    from = end + 1;
  }
}

async function openThere(path: string, fileSystem: FileSystem): Promise<OpenFile | null> {
  try {
    return await fileSystem.open(path, "read");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** As `readLines`, of the file at `path`; none where there is no file. */
export async function* readFileLines(
  path: string,
  fileSystem: FileSystem = nodeFileSystem,
): ReturnType<typeof readLines> {
  const file = await openThere(path, fileSystem);
  if (file === null) return;
  try {
    yield* readLines(file, CHUNK_BYTES);
  } finally {
    await file.close();
  }
}
