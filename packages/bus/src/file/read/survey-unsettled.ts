import type { FileSystem } from "@orgloop/files";
import { readLog } from "./read-log.ts";
import type { UnsettledLines } from "./unsettled.ts";

/** What the lines of a log are, as far as they can be counted without being parsed. */
export interface UnsettledSurvey {
  /** Files with lines. */
  readonly segments: number;
  readonly bytes: number;
  /** Lines of events, settled ones too. */
  readonly events: number;
  /** Where the unsettled events stand, in the order of publishing. */
  readonly unsettled: readonly UnsettledLines[];
}

/**
 * Reads every line of the log in `dir` once, and changes nothing. Throws `WAL_CORRUPT` and
 * `WAL_FORMAT`.
 */
export async function surveyUnsettled(
  dir: string,
  fileSystem: FileSystem,
): Promise<UnsettledSurvey> {
  let events = 0;
  const log = await readLog(dir, fileSystem, {
    indexed: false,
    onLine: ({ kind }) => {
      if (kind === "event") events += 1;
    },
  });
  const segments = [...log.sealed, ...(log.tail === null ? [] : [log.tail.segment])];
  const bytes = segments.reduce((sum, { size }) => sum + size, 0);
  return { segments: segments.length, bytes, events, unsettled: log.unsettled.result() };
}
