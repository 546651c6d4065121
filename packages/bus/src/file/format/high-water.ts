import { join } from "node:path";
import { type FileSystem, readMark } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import type { Damage } from "./errors.ts";

/**
 * How far the log is certainly on the disk, in a file of its own: it shows a last segment that is
 * gone, emptied or cut short, and that a bad line before it is damage. It is a lower bound: brought
 * up to date a moment after each sync, durably when a segment is begun and when the log is opened
 * and closed.
 */
export interface HighWater {
  /** {@link LOG_FORMAT} of whoever wrote it. */
  readonly format: number;
  /** Number of the last line. */
  readonly through: number;
  /** `from` of the last ordinary segment, and its bytes; 0 bytes where it may not exist yet. */
  readonly segment: number;
  readonly bytes: number;
  /** The process closed the log here: nothing stands behind it. */
  readonly closed: boolean;
}

export const HIGH_WATER_FILE = "high-water";

export const highWaterPath = (dir: string) => join(dir, HIGH_WATER_FILE);

export interface FoundHighWater {
  /** Null where there is none that can be read. */
  readonly mark: HighWater | null;
  /** There is one, and it cannot be read. */
  readonly damaged: boolean;
}

export async function readHighWater(dir: string, fileSystem: FileSystem): Promise<FoundHighWater> {
  try {
    return { mark: await readMark<HighWater>(highWaterPath(dir), fileSystem), damaged: false };
  } catch (error) {
    if (!hasCode(error, "MARK_DAMAGED")) throw error;
    return { mark: null, damaged: true };
  }
}

/** A log as far as it is held against its high-water mark. */
export interface Reach {
  /** Number of the last good line, or the one that a file's name covers. */
  readonly through: number;
  /** The last ordinary segment. */
  readonly last: { readonly name: string; readonly from: number; readonly fileSize: number } | null;
  /** `format` of the newest segment that says it. */
  readonly format: number | null;
}

/** What the high-water mark says that is not so; null where all fits. */
export function missingEnd({ mark, damaged }: FoundHighWater, reach: Reach): Damage | null {
  const { through, last, format } = reach;
  if (mark === null) {
    // Without a segment that promises one, there was none before this opening, or a crash kept it
    // from being written.
    if (format === null) return null;
    if (damaged) return whole(HIGH_WATER_FILE, "neither of its two records can be read");
    return whole(HIGH_WATER_FILE, "it is gone, so nothing says how far the log reaches");
  }
  const found = last !== null && last.from === mark.segment ? last : null;
  if (found !== null && found.fileSize < mark.bytes) {
    const reason = `it ends at byte ${found.fileSize}, but had ${mark.bytes} bytes`;
    return { file: found.name, line: 0, offset: found.fileSize, reason };
  }
  if (through < mark.through) {
    const reason = `the log ends with number ${through}, but it had reached number ${mark.through}: its end is gone`;
    return whole(last?.name ?? HIGH_WATER_FILE, reason);
  }
  if (mark.closed && last !== null && (found === null || last.fileSize > mark.bytes)) {
    const reason = `it was written to after the log had been closed at number ${mark.through}`;
    return { file: last.name, line: 0, offset: found === null ? 0 : mark.bytes, reason };
  }
  return null;
}

function whole(file: string, reason: string): Damage {
  return { file, line: 0, offset: 0, reason };
}
