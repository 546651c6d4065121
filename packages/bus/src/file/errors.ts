import { join } from "node:path";
import { messageOf, OrgLoopError } from "@orgloop/sdk";

/** A place in the log where it is not as it was written. */
export interface Damage {
  /** The file's name in the log's directory. */
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly reason: string;
}

/** `WAL_CORRUPT`: acknowledged data is damaged; opening stops rather than lose it in silence. */
export function corruptError(dir: string, damage: Damage): OrgLoopError {
  const place = damage.line === 0 ? "" : `, line ${damage.line}, byte ${damage.offset}`;
  return new OrgLoopError(
    "WAL_CORRUPT",
    `the log is damaged at ${join(dir, damage.file)}${place}: ${damage.reason}. It had been acknowledged, so nothing is cut off. ` +
      "See what would be lost with `orgloop wal verify`, then decide with `orgloop wal repair`, or restore the file",
  );
}

/** `WAL_FAILED`: what is on the disk is unknown from here on. The process must end; opening finds out what is there. */
export function failedError(dir: string, what: string, cause: unknown): OrgLoopError {
  return new OrgLoopError(
    "WAL_FAILED",
    `${dir}: ${what} failed (${messageOf(cause)}). The bus takes nothing more: check the disk and start again`,
    { cause },
  );
}
