import { join } from "node:path";
import {
  eventAndTarget,
  type FoundTraces,
  foundTraces,
  isOfRoute,
  type Published,
  parseRecorded,
  type RecordedLine,
} from "@orgloop/engine";
import { type FileSystem, findLines, nodeFileSystem } from "@orgloop/files";
import {
  type DeadLetter,
  type DeadLetterSummary,
  hasCode,
  type LogEntry,
  type OrgLoopEvent,
} from "@orgloop/sdk";
import { recordFiles } from "./event-recorder.ts";

/** Where a process keeps what it knows of events. */
export interface TraceSources {
  /** Absolute: the directory of the log, and of the record. */
  readonly logDir: string;
  readonly recordDir: string;
  readonly fileSystem?: FileSystem;
  readonly letters: AsyncIterable<DeadLetterSummary>;
  readonly letter: (id: string) => Promise<DeadLetter | null>;
  /** What is on the bus and not done with. */
  readonly unsettled: AsyncIterable<OrgLoopEvent>;
}

/**
 * All that was kept of the event whose id is `wanted`, or begins so. Looks through the whole log
 * and record: it is for people who ask, not for the path of events.
 */
export async function findEventTraces(wanted: string, from: TraceSources): Promise<FoundTraces> {
  const entries = await loggedOf(wanted, from);
  const lines = await recordedOf(wanted, from);
  const letters: DeadLetterSummary[] = [];
  for await (const letter of from.letters) {
    if (letter.event_id.startsWith(wanted)) letters.push(letter);
  }
  const unsettled: OrgLoopEvent[] = [];
  for await (const held of from.unsettled) {
    const { event } = eventAndTarget(held as Published);
    if (event.id.startsWith(wanted)) unsettled.push(event);
  }
  return foundTraces(wanted, { entries, lines, letters, unsettled, letter: from.letter });
}

async function loggedOf(
  wanted: string,
  { logDir, fileSystem = nodeFileSystem }: TraceSources,
): Promise<readonly LogEntry[]> {
  const found: LogEntry[] = [];
  // `events-TIME-N.jsonl` before `events.jsonl`: the rotated ones are older.
  for (const name of (await namesIn(logDir, fileSystem)).sort()) {
    if (!name.endsWith(".jsonl")) continue;
    const texts = [wanted, '"circuit.', '"rate.limited"'];
    for await (const line of findLines(join(logDir, name), texts, fileSystem)) {
      const entry = parseEntry(line);
      const isMeant = entry?.event_id?.startsWith(wanted) === true;
      if (entry !== null && (isMeant || isOfRoute(entry.phase))) found.push(entry);
    }
  }
  return found;
}

async function recordedOf(
  wanted: string,
  { recordDir, fileSystem = nodeFileSystem }: TraceSources,
): Promise<readonly RecordedLine[]> {
  const found: RecordedLine[] = [];
  for (const file of await recordFiles(recordDir, fileSystem)) {
    for await (const text of findLines(join(recordDir, file), [wanted], fileSystem)) {
      const line = parseRecorded(text);
      if (line?.event.id.startsWith(wanted)) found.push(line);
    }
  }
  return found;
}

async function namesIn(directory: string, fileSystem: FileSystem): Promise<string[]> {
  try {
    return await fileSystem.list(directory);
  } catch (error) {
    if (hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR")) return [];
    throw error;
  }
}

function parseEntry(line: string): LogEntry | null {
  try {
    const entry = JSON.parse(line);
    return typeof entry?.phase === "string" && typeof entry.timestamp === "string" ? entry : null;
  } catch {
    return null;
  }
}
