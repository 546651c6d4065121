import { createReadStream } from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { hasCode } from "@orgloop/sdk";
import { fileOfHour, type RecordedLine, recordFiles } from "./event-recorder.ts";

/** Which recorded events are meant; an absent key lets all through. */
export interface RecordedQuery {
  readonly ids?: ReadonlySet<string>;
  /** ISO 8601: when the event was routed, both inclusive. */
  readonly since?: string;
  readonly until?: string;
  readonly source?: string;
}

/** A recorded event: where it stands, and how often it was replayed. */
export interface RecordedEvent {
  readonly id: string;
  readonly source: string;
  readonly file: string;
  readonly offset: number;
  readonly length: number;
  replays: number;
}

/**
 * The events that `query` and `holds` let through, each once, in the order in which they were routed. Memory holds where they stand, not
 * the events. It reads on to the end of the record, since that tells of the replays.
 */
export async function findRecorded(
  dir: string,
  { ids, since, until, source }: RecordedQuery,
  holds: (line: RecordedLine) => boolean = () => true,
): Promise<readonly RecordedEvent[]> {
  const from = since === undefined ? "" : new Date(since).toISOString();
  const to = until === undefined ? "~" : new Date(until).toISOString();
  const first = since === undefined ? "" : fileOfHour(Date.parse(since));
  const found = new Map<string, RecordedEvent>();
  for (const file of (await recordFiles(dir)).filter((name) => name >= first)) {
    for await (const { line, offset, length } of linesOf(join(dir, file))) {
      const { at, event } = line;
      const known = found.get(event.id);
      if (event.replay !== undefined) {
        if (known !== undefined) known.replays = Math.max(known.replays, event.replay);
        continue;
      }
      if (known !== undefined || at < from || at > to) continue;
      if (ids !== undefined && !ids.has(event.id)) continue;
      if (source !== undefined && event.source !== source) continue;
      if (!holds(line)) continue;
      found.set(event.id, {
        id: event.id,
        source: event.source,
        file,
        offset,
        length,
        replays: 0,
      });
    }
  }
  return [...found.values()];
}

/** Null where the event was meanwhile given up to the bounds of the record. */
export async function readRecorded(
  dir: string,
  { file, offset, length }: RecordedEvent,
): Promise<RecordedLine | null> {
  try {
    await using handle = await open(join(dir, file));
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, offset);
    return parse(buffer.toString("utf8", 0, bytesRead));
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

/** Lines that are none of ours (torn, by a crash) are passed over. */
async function* linesOf(path: string) {
  let offset = 0;
  try {
    for await (const text of createInterface({ input: createReadStream(path, "utf8") })) {
      const length = Buffer.byteLength(text);
      const line = parse(text);
      if (line !== null) yield { line, offset, length };
      offset += length + 1;
    }
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
}

function parse(text: string): RecordedLine | null {
  try {
    const line = JSON.parse(text);
    const whole = typeof line?.at === "string" && typeof line.event?.id === "string";
    return whole ? line : null;
  } catch {
    return null;
  }
}
