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

export type DamageError = OrgLoopError & { readonly damage: Damage };

/** `WAL_CORRUPT`: acknowledged data is damaged; opening stops rather than lose it in silence. */
export function corruptError(dir: string, damage: Damage): DamageError {
  const place = damage.line === 0 ? "" : `, line ${damage.line}, byte ${damage.offset}`;
  const error = new OrgLoopError(
    "WAL_CORRUPT",
    `the log is damaged at ${join(dir, damage.file)}${place}: ${damage.reason}. It had been acknowledged, so nothing is cut off. ` +
      "See what would be lost with `orgloop wal verify`, then decide with `orgloop wal repair`, or restore the file",
  );
  return Object.assign(error, { damage });
}

/**
 * `WAL_REMOVED`: what is written goes nowhere any more, so nothing is taken. A start makes a new
 * log, or finds the one put back.
 */
export function removedError(dir: string): OrgLoopError {
  return new OrgLoopError(
    "WAL_REMOVED",
    `${dir}, or its last segment, was removed while the log was open: the bus takes nothing more. Put it back if you can, and start again`,
  );
}

/**
 * `WAL_FAILED`: what is on the disk is unknown from here on. The process must end; opening finds
 * out what is there.
 */
export function failedError(dir: string, what: string, cause: unknown): OrgLoopError {
  return new OrgLoopError(
    "WAL_FAILED",
    `${dir}: ${what} failed (${messageOf(cause)}). The bus takes nothing more: check the disk and start again`,
    { cause },
  );
}
