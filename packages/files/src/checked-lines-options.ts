import type { FileSystem } from "./file-system.ts";
import type { Place } from "./read-lines.ts";

/**
 * Which files were ever made; kept apart from them, so that one is missed that is removed with all
 * that lies beside it.
 */
export interface MadeFiles {
  has(path: string): boolean;
  /** Resolves when it is kept, or cannot be kept now; fine to call twice. */
  add(path: string): Promise<void>;
}

export interface CheckedLinesOptions {
  /** Ends in `.jsonl`. Its directory must exist. */
  readonly path: string;
  readonly fileSystem: FileSystem;
  /**
   * Called when the file is read, and once more where it had to be mended first. What it returns
   * gets every body, the text of a JSON object, in order, and where its line stands.
   */
  readonly begin: () => (body: Buffer, place: Place) => void;
  /**
   * The body of a line as an earlier version wrote it, without a checksum; null for a line that no
   * version wrote.
   */
  readonly upgrade: (line: string) => string | null;
  /**
   * What is lost with these bytes, as far as they tell, e.g. `the dead letter of evt_1`; '' where
   * they do not.
   */
  readonly loss: (bytes: Buffer) => string;
  /** What to do about it: a sentence. */
  readonly advice: string;
  /** Told of what was found wrong: where, what is lost, what to do. */
  readonly warn: (message: string) => void;
  /**
   * Where it is kept that the file was made: without it, one that is removed with its mark counts
   * as never written.
   */
  readonly made?: MadeFiles | undefined;
  /** Monotonic, in ms; default: the process's. */
  readonly now?: () => number;
}
