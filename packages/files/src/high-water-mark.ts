import { hasCode } from "@orgloop/sdk";
import type { FileSystem } from "./file-system.ts";
import { MarkFile } from "./mark-file.ts";

/** How far a file of checksummed lines was durable. */
export interface Reached {
  /** Counts the rewrites of the file. 0: its lines are an earlier version's, without checksums. */
  readonly generation: number;
  /** Number of the last line that was synced; -1: not even the first. */
  readonly synced: number;
}

/**
 * Says beside a file how far it was synced, so that a missing end shows. It is written when the lines are durable, and synced in its
 * own time: the death of the process finds it exact, after a power cut it may lag, and never is it ahead.
 */
export class HighWaterMark {
  readonly #path: string;
  readonly #fileSystem: FileSystem;
  #file: MarkFile<Reached> | null = null;
  #damaged = false;
  #syncing: Promise<void> | null = null;
  #dirty = false;

  constructor(path: string, fileSystem: FileSystem) {
    this.#path = path;
    this.#fileSystem = fileSystem;
  }

  /** Null where there is none, or it cannot be read. */
  async read(): Promise<Reached | null> {
    try {
      this.#file ??= await MarkFile.open<Reached>(this.#path, this.#fileSystem);
    } catch (error) {
      if (!hasCode(error, "MARK_DAMAGED")) throw error;
      this.#damaged = true;
    }
    return this.#file?.mark ?? null;
  }

  /** Resolves when the death of the process would not lose it. */
  async write(reached: Reached): Promise<void> {
    if (this.#file !== null) {
      await this.#file.write(reached, { durable: false });
      this.#dirty = true;
      return;
    }
    if (this.#damaged) await this.#fileSystem.remove(this.#path);
    this.#damaged = false;
    this.#file = await MarkFile.create(this.#path, reached, this.#fileSystem);
  }

  /** Resolves when a power cut would not lose it. Those who ask meanwhile share a sync. */
  async sync(): Promise<void> {
    while (this.#dirty) {
      this.#syncing ??= this.#syncOnce().finally(() => {
        this.#syncing = null;
      });
      await this.#syncing;
    }
  }

  /** Fine to call twice. */
  async close(): Promise<void> {
    await this.#syncing?.catch(() => undefined);
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #syncOnce(): Promise<void> {
    this.#dirty = false;
    await this.#file?.sync();
  }
}
