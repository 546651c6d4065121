import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  parseRecorded,
  type RecordedEvent,
  type RecordedLine,
  type RecordedQuery,
  recordedSelection,
} from "@orgloop/core";
import { type Place, readFileLines } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { fileOfHour, recordFiles } from "./event-recorder.ts";

/** Where a line stands. */
export interface RecordedPlace extends Place {
  readonly file: string;
}

/** The events that `query` and `holds` let through (`recordedSelection`). */
export async function findRecorded(
  dir: string,
  query: RecordedQuery,
  holds?: (line: RecordedLine) => boolean,
): Promise<readonly RecordedEvent<RecordedPlace>[]> {
  const first = query.since === undefined ? "" : fileOfHour(Date.parse(query.since));
  const selection = recordedSelection<RecordedPlace>(query, holds);
  for (const file of (await recordFiles(dir)).filter((name) => name >= first)) {
    for await (const { line: text, place } of readFileLines(join(dir, file))) {
      const line = parseRecorded(text);
      if (line !== null) selection.add(line, { file, ...place });
    }
  }
  return selection.found();
}

/** Null where the event was meanwhile given up to the bounds of the record. */
export async function readRecorded(
  dir: string,
  { file, offset, length }: RecordedPlace,
): Promise<RecordedLine | null> {
  try {
    await using handle = await open(join(dir, file));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return parseRecorded(buffer.toString("utf8", 0, bytesRead));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}
