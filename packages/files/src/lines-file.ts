import { dirname } from "node:path";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import type { FileSystem, OpenFile } from "./file-system.ts";
import { type Place, readLines } from "./read-lines.ts";

/** One read takes no more than this. */
const CHUNK_BYTES = 1024 ** 2;

/**
 * A file of lines that is appended to and, now and then, rewritten. A last line without its end (torn by a crash) is cut at open;
 * what ends is never removed, readable or not. Its calls must come one after the other, which `inTurn` sees to.
 */
export class LinesFile {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  #file: OpenFile;
  #size = 0;
  #failure: OrgLoopError | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(path: string, fileSystem: FileSystem, file: OpenFile) {
    this.#path = path;
    this.#fileSystem = fileSystem;
    this.#file = file;
  }

  /** `onLine` gets every whole line. The directory must exist. */
  static async open(
    path: string,
    fileSystem: FileSystem,
    onLine: (line: string, place: Place) => void,
  ): Promise<LinesFile> {
    const file = await openOrCreate(path, fileSystem);
    const opened = new LinesFile(path, fileSystem, file);
    try {
      for await (const { line, place } of readLines(file, CHUNK_BYTES)) {
        onLine(line, place);
        opened.#size = place.offset + place.length;
      }
      if (opened.#size < (await file.size())) await file.truncate(opened.#size);
    } catch (error) {
      await file.close();
      throw error;
    }
    return opened;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Runs `task` when all given before have ended. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /**
   * Appends whole lines. With `durable` it resolves when a power cut would not lose them, otherwise when the end of the process
   * would not. Where it rejects, they are not in the file; after a failed sync nothing can be appended any more.
   */
  async append(lines: string, { durable }: { readonly durable: boolean }): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const bytes = Buffer.from(lines);
    try {
      await writeAll(this.#file, bytes, this.#size, this.#path);
    } catch (error) {
      // What remains is a torn tail: the next append overwrites it, or the next open cuts it.
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    if (durable) await this.#durably(() => this.#file.sync());
    this.#size += bytes.length;
  }

  /** The lines at `places`, which are in the order of the file; neighbours are read at once. */
  async *read(places: Iterable<Place>): AsyncGenerator<Buffer> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const run of runs(places)) {
      const bytes = Buffer.allocUnsafe(run.length);
      for (let length = 0; length < bytes.length; ) {
        const count = await this.#file.read(bytes.subarray(length), run.offset + length);
        if (count === 0)
          throw new OrgLoopError("FILE_TOO_SHORT", `${this.#path} was cut by others`);
        length += count;
      }
      let from = 0;
      for (const { length } of run.places) {
        yield bytes.subarray(from, from + length);
        from += length;
      }
    }
  }

  /** Replaces the contents, atomically and durably, by `lines`, which may be read from this very file meanwhile. */
  async rewrite(lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const temporary = `${this.#path}.tmp`;
    const file = await this.#fileSystem.open(temporary, "replace");
    let size = 0;
    try {
      for await (const chunk of chunks(lines)) {
        await writeAll(file, chunk, size, temporary);
        size += chunk.length;
      }
      await file.sync();
      await this.#fileSystem.rename(temporary, this.#path);
    } catch (error) {
      await file.close();
      await this.#fileSystem.remove(temporary).catch(() => undefined);
      throw error;
    }
    await this.#file.close().catch(() => undefined);
    this.#file = file;
    this.#size = size;
    await this.#durably(() => this.#fileSystem.syncDirectory(dirname(this.#path)));
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    if (hasCode(this.#failure, "STORE_CLOSED")) return;
    this.#failure = new OrgLoopError("STORE_CLOSED", `${this.#path} is closed`);
    await this.#file.close();
  }

  /** After a failed sync nobody knows what is on the disk: this file is used no more. */
  async #durably(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (cause) {
      this.#failure = new OrgLoopError(
        "SYNC_FAILED",
        `${this.#path} could not be made durable (${messageOf(cause)}): check the disk and restart`,
        { cause },
      );
      throw this.#failure;
    }
  }
}

interface Run extends Place {
  readonly places: readonly Place[];
}

/** Places that follow each other without a gap, up to a chunk. */
function* runs(places: Iterable<Place>): Generator<Run> {
  let run: { offset: number; length: number; places: Place[] } | undefined;
  for (const place of places) {
    const follows = run !== undefined && run.offset + run.length === place.offset;
    if (run === undefined || !follows || run.length + place.length > CHUNK_BYTES) {
      if (run !== undefined) yield run;
      run = { offset: place.offset, length: 0, places: [] };
    }
    run.length += place.length;
    run.places.push(place);
  }
  if (run !== undefined) yield run;
}

/** Lines put together to chunks worth a write. */
async function* chunks(lines: AsyncIterable<Uint8Array> | Iterable<Uint8Array>) {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for await (const line of lines) {
    waiting.push(line);
    bytes += line.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  yield Buffer.concat(waiting);
}

async function openOrCreate(path: string, fileSystem: FileSystem): Promise<OpenFile> {
  try {
    return await fileSystem.open(path, "update");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
  const file = await fileSystem.open(path, "create");
  await fileSystem.syncDirectory(dirname(path));
  return file;
}

async function writeAll(file: OpenFile, bytes: Uint8Array, at: number, path: string) {
  for (let written = 0; written < bytes.length; ) {
    const count = await file.write(bytes.subarray(written), at + written);
    if (count === 0) throw new OrgLoopError("SHORT_WRITE", `${path}: the disk takes no more bytes`);
    written += count;
  }
}
