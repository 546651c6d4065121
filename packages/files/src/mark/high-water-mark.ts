import { hasCode } from "@orgloop/sdk";
import type { FileSystem } from "../file-system.ts";
import { MarkFile } from "./mark-file.ts";

/** How far a file of checksummed lines was durable. */
export interface Reached {
  /** Counts the rewrites of the file. 0: its lines are an earlier version's, without checksums. */
  readonly generation: number;
  /** Number of the last line that was synced; -1: not even the first. */
  readonly synced: number;
  /** Of a rewrite that takes the file's name next: what holds from then on. */
  readonly next?: { readonly generation: number; readonly synced: number };
}

/**
 * Which line of a file of this generation was synced last; null where the mark does not know it.
 */
export function syncedOf(reached: Reached, generation: number | null): number | null {
  if (generation === null || reached.generation === generation) return reached.synced;
  return reached.next?.generation === generation ? reached.next.synced : null;
}

/**
 * Says beside a file how far it was synced, so that a missing end shows. It is written when the
 * lines are durable, and synced in its own time: the death of the process finds it exact, after a
 * power cut it may lag, and never is it ahead.
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

  /**
   * Before a rewrite with these lines takes the file's name: its end, too, shows from then on.
   * Resolves when that is durable.
   */
  async announce(reached: Reached, generation: number, lines: number): Promise<void> {
    await this.write({ ...reached, next: { generation, synced: lines } });
    await this.sync();
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
