import { type FileSystem, MarkFile } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import type { SetTimer } from "../../dispatch.ts";
import { failedError } from "../format/errors.ts";
import { LOG_FORMAT } from "../format/first-line.ts";
import { type HighWater, highWaterPath } from "../format/high-water.ts";
import type { Segment } from "../format/segment.ts";

/** How long the mark may lag behind the log. */
const LAG_MS = 100;

type Place = Pick<Segment, "from" | "size" | "through">;

/** Keeps the high-water mark of a log that is open. */
export class HighWaterFile {
  readonly #dir: string;
  readonly #fileSystem: FileSystem;
  readonly #setTimer: SetTimer;
  #file: MarkFile<HighWater> | null = null;
  #isStale = false;
  #latest: Place | null = null;
  #cancelTimer: (() => void) | null = null;
  #turn: Promise<void> = Promise.resolve();

  constructor(dir: string, fileSystem: FileSystem, setTimer: SetTimer) {
    this.#dir = dir;
    this.#fileSystem = fileSystem;
    this.#setTimer = setTimer;
  }

  /**
   * For the first line of a segment: what it promises. Nothing where the disk had no room for the
   * file yet.
   */
  get format(): { readonly format?: number } {
    return this.#file === null ? {} : { format: LOG_FORMAT };
  }

  /** The log ends at `place` and goes on from there. */
  async open(place: Place): Promise<void> {
    const path = highWaterPath(this.#dir);
    const mark = markOf(place, false);
    try {
      this.#file = await MarkFile.open<HighWater>(path, this.#fileSystem);
    } catch (error) {
      // A crash while it was made: recovery has seen that nothing relies on it.
      if (!hasCode(error, "MARK_DAMAGED")) throw error;
      await this.#fileSystem.remove(path);
    }
    if (this.#file === null) await this.#create(mark);
    else await this.#reopen(mark).catch(unlessRefused);
  }

  /**
   * True while the disk has not taken that the log is open again: until it has, nothing may be
   * appended.
   */
  get isStale(): boolean {
    return this.#isStale;
  }

  /**
   * Tries again what {@link open} could not write. Rejects with what the disk says, or
   * `WAL_FAILED`.
   */
  reopen(place: Place): Promise<void> {
    return this.#reopen(markOf(place, false));
  }

  async #reopen(mark: HighWater): Promise<void> {
    this.#isStale = true;
    await this.#file?.write(mark, { durable: false });
    await this.#file?.write(mark, { durable: false });
    await this.#sync();
    this.#isStale = false;
  }

  /**
   * The log was synced up to `place`, which may change before it is written down. Costs a timer now
   * and then.
   */
  synced(place: Place): void {
    this.#latest = place;
    this.#cancelTimer ??= this.#setTimer(() => {
      this.#cancelTimer = null;
      void this.#write(markOf(this.#latest as Place, false));
    }, LAG_MS);
  }

  /** The log goes on in another segment. Resolves when that is durable. Throws `WAL_FAILED`. */
  async rotated(place: Place): Promise<void> {
    this.#latest = place;
    if (this.#file === null) await this.#create(markOf(place, false));
    else await this.#write(markOf(place, false));
    await this.#sync();
  }

  /** `place`: where the log ends now that it is closed; null where that is not known. */
  async close(place: Place | null): Promise<void> {
    this.#cancelTimer?.();
    this.#cancelTimer = null;
    await this.#turn;
    if (place !== null) {
      await this.#write(markOf(place, true));
      await this.#write(markOf(place, true));
      await this.#sync();
    }
    await this.#file?.close();
    this.#file = null;
  }

  async #create(mark: HighWater): Promise<void> {
    try {
      this.#file = await MarkFile.create(highWaterPath(this.#dir), mark, this.#fileSystem);
    } catch (error) {
      unlessRefused(error);
    }
  }

  /** One after the other. Where the disk refuses, the mark lags: it is a lower bound. */
  #write(mark: HighWater): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#file?.write(mark, { durable: false }))
      .catch(() => undefined);
    return this.#turn;
  }

  async #sync(): Promise<void> {
    try {
      await this.#file?.sync();
    } catch (cause) {
      throw failedError(this.#dir, "fdatasync of the high-water mark", cause);
    }
  }
}

const REFUSALS = ["ENOSPC", "EDQUOT", "EMFILE", "ENFILE"];

function unlessRefused(error: unknown): void {
  if (!REFUSALS.some((code) => hasCode(error, code))) throw error;
}

function markOf({ from, size, through }: Place, closed: boolean): HighWater {
  return { format: LOG_FORMAT, through, segment: from, bytes: size, closed };
}
