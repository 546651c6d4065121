import { hasCode } from "@orgloop/sdk";
import { type FileSystem, type OpenFile, writeFully } from "./file-system.ts";

/**
 * A plain file of lines that is appended to, and not synced. Its calls must come one after the
 * other.
 */
export class AppendedFile {
  readonly #file: OpenFile;
  #size: number;

  private constructor(file: OpenFile, size: number) {
    this.#file = file;
    this.#size = size;
  }

  /**
   * Made where missing; its directory must exist. A last line that a crash has torn gets an end, so
   * that the next one is whole.
   */
  static async open(path: string, fileSystem: FileSystem): Promise<AppendedFile> {
    const file = await openOrCreate(path, fileSystem);
    try {
      const size = await file.size();
      const opened = new AppendedFile(file, size);
      const last = Buffer.alloc(1);
      if (size > 0) await file.read(last, size - 1);
      if (size > 0 && last[0] !== 0x0a) await opened.append("\n");
      return opened;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** In bytes. */
  get size(): number {
    return this.#size;
  }

  /** Whoever deletes it has the next lines in a new one. */
  isRemoved(): boolean {
    return this.#file.isRemoved();
  }

  /**
   * Resolves when the end of the process would not lose them. Where it rejects, they are not in the
   * file.
   */
  async append(lines: string): Promise<void> {
    const bytes = Buffer.from(lines);
    try {
      await writeFully(this.#file, bytes, this.#size);
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => undefined);
      throw error;
    }
    this.#size += bytes.length;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}

async function openOrCreate(path: string, fileSystem: FileSystem): Promise<OpenFile> {
  try {
    return await fileSystem.open(path, "update");
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
    return fileSystem.open(path, "create");
  }
}
