import { OrgLoopError } from "@orgloop/sdk";
import { decodeChecked } from "./checked-line.ts";
import { type OpenFile, readFully } from "./file-system.ts";
import type { Place } from "./read-lines.ts";

/** One read takes no more than this, or one line. */
const RUN_BYTES = 1024 ** 2;

/**
 * The bodies of the lines at `places`; neighbours are read at once. Each holds until the next one.
 * Throws `LINE_DAMAGED`.
 */
export async function* readBodies(
  file: OpenFile,
  path: string,
  places: Iterable<Place>,
): AsyncGenerator<Buffer> {
  for (const run of runs(places)) {
    const bytes = Buffer.allocUnsafe(run.length);
    const count = await readFully(file, bytes, run.offset);
    let from = 0;
    for (const { length } of run.places) {
      const whole = from + length <= count;
      const line = whole ? decodeChecked(bytes.subarray(from, from + length - 1)) : null;
      if (line === null) {
        const message = `${path}: the line at byte ${run.offset + from} was damaged since it was opened`;
        throw new OrgLoopError("LINE_DAMAGED", message);
      }
      yield line.body;
      from += length;
    }
  }
}

interface Run extends Place {
  readonly places: readonly Place[];
}

/** Places that follow each other without a gap. */
function* runs(places: Iterable<Place>): Generator<Run> {
  let run: { offset: number; length: number; places: Place[] } | undefined;
  for (const place of places) {
    const follows = run !== undefined && run.offset + run.length === place.offset;
    if (run === undefined || !follows || run.length + place.length > RUN_BYTES) {
      if (run !== undefined) yield run;
      run = { offset: place.offset, length: 0, places: [] };
    }
    run.length += place.length;
    run.places.push(place);
  }
  if (run !== undefined) yield run;
}
