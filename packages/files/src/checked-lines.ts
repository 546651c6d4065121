import { dirname } from "node:path";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import { encodeChecked } from "./checked-line.ts";
import type { CheckedLinesOptions } from "./checked-lines-options.ts";
import { type OpenFile, writeFully } from "./file-system.ts";
import { HighWaterMark } from "./mark/high-water-mark.ts";
import { openLines } from "./open-lines.ts";
import { readBodies } from "./read-bodies.ts";
import type { Place } from "./read-lines.ts";
import { type Bodies, headerLine, rewriteLines } from "./rewrite-lines.ts";

/** What was appended without a sync is synced this often, while more is appended. */
const SYNC_EVERY_MS = 1_000;
/** Fewer lines than this are not worth a rewrite. */
const MIN_STALE = 1_000;

/**
 * A file of numbered lines with checksums, appended to and now and then rewritten. The first line
 * tells the generation; `PATH.mark` beside it how far it was synced, so that a missing end shows.
 * What is read back at open is durable before it counts. Damage is named, kept beside the file and
 * harms no other line. Calls must come one after the other, which `inTurn` sees to. The file is
 * made by the first append. Nobody else may write it meanwhile (`lockDirectory`).
 */
export class CheckedLines {
  readonly #options: CheckedLinesOptions;
  readonly #mark: HighWaterMark;
  readonly #now: () => number;
  #file: OpenFile | null = null;
  #generation = 1;
  #last = -1;
  #size = 0;
  /** Number of the last line that is durable. */
  #synced = -1;
  #syncedMs: number;
  /** In lines. */
  #staleFrom = MIN_STALE;
  #failure: OrgLoopError | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(options: CheckedLinesOptions) {
    this.#options = options;
    this.#mark = new HighWaterMark(`${options.path}.mark`, options.fileSystem);
    this.#now = options.now ?? (() => performance.now());
    this.#syncedMs = this.#now();
  }

  /** Rejects where the file cannot be read, made durable, or mended. */
  static async open(options: CheckedLinesOptions): Promise<CheckedLines> {
    const lines = new CheckedLines(options);
    try {
      const { file, generation, last, size } = await openLines(options, lines.#mark);
      if (file !== null) await options.made?.add(options.path);
      lines.#file = file;
      lines.#generation = generation;
      lines.#last = last;
      lines.#synced = last;
      lines.#size = size;
    } catch (error) {
      await lines.#mark.close();
      throw error;
    }
    return lines;
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Without the first, which is the file's own. */
  get lines(): number {
    return Math.max(0, this.#last);
  }

  /** Runs `task` when all given before have ended. */
  inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#turn.then(task);
    this.#turn = result.catch(() => undefined);
    return result;
  }

  /**
   * Appends lines with these bodies, JSON objects that are not empty; resolves with their places.
   * With `durable` it resolves when a power cut would not lose them, otherwise when the end of the
   * process would not. Where it rejects, they are not in the file; after a failed sync nothing can
   * be appended any more.
   */
  async append(
    bodies: readonly string[],
    { durable }: { readonly durable: boolean },
  ): Promise<readonly Place[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (bodies.length === 0) return [];
    const file = await this.#made();
    const lines = bodies.map((body, index) => encodeChecked(this.#last + 1 + index, body));
    const bytes = lines.length === 1 ? (lines[0] as Buffer) : Buffer.concat(lines);
    try {
      await writeFully(file, bytes, this.#size);
    } catch (error) {
      // What remains is a torn tail: the next append overwrites it, or the next open cuts it.
      await file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    if (durable) await this.#durably(() => file.sync());
    if (file.isRemoved()) throw this.#removed();
    const places = lines.map(({ length }) => {
      this.#size += length;
      return { offset: this.#size - length, length };
    });
    this.#last += lines.length;
    if (durable) await this.#reached();
    else if (this.#now() - this.#syncedMs >= SYNC_EVERY_MS) {
      this.#syncedMs = this.#now();
      this.inTurn(() => this.sync()).catch(() => undefined);
    }
    return places;
  }

  /** Resolves when everything appended is durable. */
  async sync(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const file = this.#file;
    if (file === null || this.#synced === this.#last) return;
    await this.#durably(() => file.sync());
    await this.#reached();
  }

  /**
   * The bodies at `places`, which are in the order of the file. Each holds until the next one.
   * Throws `LINE_DAMAGED`.
   */
  async *read(places: Iterable<Place>): AsyncGenerator<Buffer> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#file !== null) yield* readBodies(this.#file, this.#options.path, places);
  }

  /**
   * Replaces the contents, atomically and durably, by `bodies`, which may be read from this very
   * file meanwhile; their places.
   */
  async rewrite(bodies: Bodies): Promise<readonly Place[]> {
    if (this.#failure !== undefined) throw this.#failure;
    const { path, fileSystem } = this.#options;
    const generation = this.#generation + 1;
    const reached = { generation: this.#generation, synced: this.#synced };
    const announce = (lines: number) => this.#mark.announce(reached, generation, lines);
    const { file, size, places } = await rewriteLines(
      path,
      fileSystem,
      generation,
      bodies,
      announce,
    );
    await this.#file?.close().catch(() => undefined);
    this.#file = file;
    this.#generation = generation;
    this.#size = size;
    this.#last = places.length;
    await this.#durably(() => fileSystem.syncDirectory(dirname(path)));
    await this.#reached();
    await this.#mark.sync().catch(() => undefined);
    return places;
  }

  /**
   * Whether it is worth a rewrite where `kept` of its lines count: it is long, and more than twice
   * as long.
   */
  isStale(kept: number): boolean {
    return this.#last >= this.#staleFrom && this.#last > 2 * kept;
  }

  /**
   * {@link rewrite}; a failure is a warning, since the file stands as it was, and is not asked for
   * again before it is twice as long.
   */
  async tidy(bodies: Bodies): Promise<void> {
    try {
      await this.rewrite(bodies);
      this.#staleFrom = MIN_STALE;
    } catch (error) {
      this.#staleFrom = 2 * this.#last;
      const { path, warn } = this.#options;
      warn(`${path} was not rewritten: ${messageOf(error)}`);
    }
  }

  /** Syncs what is not; fine to call twice. */
  async close(): Promise<void> {
    if (hasCode(this.#failure, "STORE_CLOSED")) return;
    await this.sync().catch(() => undefined);
    await this.#mark.sync().catch(() => undefined);
    this.#failure = new OrgLoopError("STORE_CLOSED", `${this.#options.path} is closed`);
    await this.#mark.close();
    await this.#file?.close();
  }

  /** What is written goes with the last descriptor, so nothing is taken any more. */
  #removed(): OrgLoopError {
    this.#failure = new OrgLoopError(
      "STORE_REMOVED",
      `${this.#options.path} was removed, or its directory was, while it was open: put it back and restart`,
    );
    return this.#failure;
  }

  async #made(): Promise<OpenFile> {
    if (this.#file !== null && this.#last >= 0) return this.#file;
    const { path, fileSystem } = this.#options;
    // Before the file: one without a mark has lost it.
    await this.#mark.write({ generation: this.#generation, synced: -1 });
    await this.#mark.sync();
    this.#file ??= await fileSystem.open(path, "replace");
    const file = this.#file;
    const header = headerLine(this.#generation);
    await writeFully(file, header, 0);
    await this.#durably(async () => {
      await file.sync();
      await fileSystem.syncDirectory(dirname(path));
    });
    await this.#options.made?.add(path);
    this.#size = header.length;
    this.#last = 0;
    await this.#reached();
    return file;
  }

  /**
   * Everything up to the last line is durable. The mark is written for a kill, and synced in its
   * own time for a power cut.
   */
  async #reached(): Promise<void> {
    this.#synced = this.#last;
    this.#syncedMs = this.#now();
    try {
      await this.#mark.write({ generation: this.#generation, synced: this.#last });
    } catch {
      // It lags, as after a power cut.
      return;
    }
    this.#mark.sync().catch(() => undefined);
  }

  /** After a failed sync nobody knows what is on the disk: this file is used no more. */
  async #durably(sync: () => Promise<void>): Promise<void> {
    try {
      await sync();
    } catch (cause) {
      this.#failure = new OrgLoopError(
        "SYNC_FAILED",
        `${this.#options.path} could not be made durable (${messageOf(cause)}): check the disk and restart`,
        { cause },
      );
      throw this.#failure;
    }
  }
}
