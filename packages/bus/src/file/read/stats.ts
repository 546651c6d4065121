import { nodeFileSystem } from "@orgloop/files";
import type { EventLine } from "../format/pending-lines.ts";
import { type WalReadOptions, whileItChanges } from "../repair/verify.ts";
import { readLines } from "./read-lines.ts";
import { surveyUnsettled } from "./survey-unsettled.ts";

export interface WalStats {
  readonly dir: string;
  /** Files with lines. */
  readonly segments: number;
  readonly bytes: number;
  /** Lines of events, settled ones too. */
  readonly events: number;
  readonly unsettled: number;
  /** When the oldest unsettled event was published, in ms since the epoch. */
  readonly oldestAtMs: number | null;
}

/**
 * Counts what is in the log in `dir`. Changes nothing; fine while a process runs. Throws
 * `WAL_CORRUPT`.
 */
export function walStats(dir: string, options: WalReadOptions = {}): Promise<WalStats> {
  return whileItChanges(() => count(dir, options));
}

async function count(
  dir: string,
  { fileSystem = nodeFileSystem }: WalReadOptions,
): Promise<WalStats> {
  const { unsettled, ...counts } = await surveyUnsettled(dir, fileSystem);
  const oldest = unsettled.slice(0, 1).map(({ event }) => event);
  let oldestAtMs: number | null = null;
  for await (const line of readLines(dir, oldest, fileSystem)) {
    oldestAtMs = (JSON.parse(line.toString("utf8")) as EventLine).at;
  }
  return { dir, ...counts, unsettled: unsettled.length, oldestAtMs };
}
