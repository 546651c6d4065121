import { join } from "node:path";
import {
  parseRecorded,
  type RecordedEvent,
  type RecordedLine,
  type RecordedQuery,
  recordedSelection,
} from "@orgloop/engine";
import {
  type FileSystem,
  nodeFileSystem,
  type OpenFile,
  type Place,
  readFileLines,
  readFully,
} from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { fileOfHour, recordFiles } from "../telemetry/event-recorder.ts";

/** Where a line stands. */
export interface RecordedPlace extends Place {
  readonly file: string;
}

/** Where the recorder writes. */
export interface EventRecord {
  readonly dir: string;
  readonly fileSystem?: FileSystem;
}

/** The events that `query` and `holds` let through (`recordedSelection`). */
export async function findRecorded(
  { dir, fileSystem = nodeFileSystem }: EventRecord,
  query: RecordedQuery,
  holds?: (line: RecordedLine) => boolean,
): Promise<readonly RecordedEvent<RecordedPlace>[]> {
  const first = query.since === undefined ? "" : fileOfHour(new Date(query.since).toISOString());
  const selection = recordedSelection<RecordedPlace>(query, holds);
  for (const file of (await recordFiles(dir, fileSystem)).filter((name) => name >= first)) {
    for await (const { line: text, place } of readFileLines(join(dir, file), fileSystem)) {
      const line = parseRecorded(text);
      if (line !== null) selection.add(line, { file, ...place });
    }
  }
  return selection.found();
}

/** Null where the event was meanwhile given up to the bounds of the record. */
export async function readRecorded(
  { dir, fileSystem = nodeFileSystem }: EventRecord,
  { file, offset, length }: RecordedPlace,
): Promise<RecordedLine | null> {
  let opened: OpenFile;
  try {
    opened = await fileSystem.open(join(dir, file), "read");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
  try {
    const bytes = Buffer.alloc(length);
    const count = await readFully(opened, bytes, offset);
    return parseRecorded(bytes.toString("utf8", 0, count));
  } finally {
    await opened.close();
  }
}
