import type { FileSystem } from "@orgloop/files";
import { listChain } from "./chain.ts";
import { corruptError } from "./errors.ts";
import { readSegment } from "./read-segment.ts";
import type { Segment } from "./segment.ts";
import { type UnsettledLines, UnsettledLog } from "./unsettled.ts";

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

/** Reads every line of the log in `dir` once, and changes nothing. Throws `WAL_CORRUPT`. */
export async function surveyUnsettled(
  dir: string,
  fileSystem: FileSystem,
): Promise<UnsettledSurvey> {
  const names = (await listChain(dir, fileSystem)).segments.filter(
    ({ kind }) => kind !== "settled",
  );
  const unsettled = new UnsettledLog();
  let bytes = 0;
  let events = 0;
  for (const [index, name] of names.entries()) {
    const segment: Segment = { name: name.name, from: name.from, through: 0, size: 0, live: 0 };
    const last = index === names.length - 1;
    unsettled.begin(segment, name.kind === "ordinary");
    const reading = await readSegment(
      dir,
      name,
      {
        seal: null,
        last,
        onLine(head, offset, length) {
          if (head.kind === "event") events += 1;
          unsettled.line(head, offset, length);
        },
      },
      fileSystem,
    );
    unsettled.end();
    if (reading.damage !== null && !reading.torn) throw corruptError(dir, reading.damage);
    bytes += reading.size;
  }
  return { segments: names.length, bytes, events, unsettled: unsettled.result() };
}
