import { join } from "node:path";
import { checksumFits, type FileSystem, type OpenFile, readFully } from "@orgloop/files";
import { type LineHead, readHead } from "./line.ts";
import type { LoggedEvent } from "./pending-lines.ts";
import type { Segment } from "./segment.ts";

/** What a segment was when the next one was begun. */
export interface Seal {
  readonly from: number;
  readonly bytes: number;
  /**
   * CRC-32 of the whole file, which the processor sums several times faster than the CRC32C of
   * lines.
   */
  readonly crc: number;
}

/**
 * Where the lines that were wanted stood when a segment was begun, so that opening need not look at
 * every line before it: `[seq, from, offset, length]` of each unsettled event, and the same with
 * the event's `seq` before it of each settled route; `from` names an ordinary segment. Of what
 * stands in a compacted one only the event's `seq` is given.
 */
export interface Index {
  readonly events: readonly (readonly number[])[];
  readonly settles: readonly (readonly number[])[];
}

/**
 * 1: without a high-water mark, and so without a number. 2: with one ({@link HighWater}), and with
 * closing records. A release opens its own format and those before.
 */
export const LOG_FORMAT = 2;

/** What the first line of a segment may hold. */
export interface FirstLine {
  readonly seq: number;
  readonly at?: number;
  readonly format?: number;
  readonly sealed?: Seal;
  readonly unsettled?: Index;
  readonly compacted?: {
    readonly from: number;
    readonly through: number;
    readonly records: number;
  };
}

/** With more lines than this the index would cost more than it saves. */
const LARGEST_INDEX = 10_000;

/** Null where it would be too large. */
export function indexOf(unsettled: Iterable<LoggedEvent>): Index | null {
  const events: number[][] = [];
  const settles: number[][] = [];
  for (const { seq, segment, offset, length, settles: routes } of unsettled) {
    const ordinary = segment !== null && isOrdinary(segment);
    events.push(ordinary ? [seq, segment.from, offset, length] : [seq]);
    for (const route of routes) {
      if (!isOrdinary(route.segment)) continue;
      settles.push([seq, route.seq, route.segment.from, route.offset, route.length]);
    }
    if (events.length + settles.length > LARGEST_INDEX) return null;
  }
  return { events, settles };
}

export function isOrdinary({ name }: Segment): boolean {
  return !name.includes("-");
}

/** `"open":…` as the body of a line. */
export function openBody(
  open: number,
  at: number,
  more: Pick<FirstLine, "format" | "sealed" | "unsettled"> = {},
): string {
  return JSON.stringify({ open, at, ...more }).slice(1);
}

/** `"close":…` as the body of a line. */
export function closeBody(close: number, at: number, unsettled: Iterable<LoggedEvent>): string {
  const index = indexOf(unsettled);
  const more = index === null ? {} : { unsettled: index.events.map(([seq]) => seq) };
  return JSON.stringify({ close, at, ...more }).slice(1);
}

/** Null where the first line is not good. */
export async function readFirstLine(
  dir: string,
  name: string,
  fileSystem: FileSystem,
): Promise<FirstLine | null> {
  const file = await fileSystem.open(join(dir, name), "read");
  try {
    return await firstLineOf(file);
  } finally {
    await file.close();
  }
}

const FIRST_BYTES = 4 * 1024;
const MAX_BYTES = 4 * 1024 * 1024;

export async function firstLineOf(file: OpenFile): Promise<FirstLine | null> {
  for (let bytes = FIRST_BYTES; bytes <= MAX_BYTES; bytes *= 32) {
    const buffer = Buffer.allocUnsafe(bytes);
    const count = await readFully(file, buffer, 0);
    const end = buffer.subarray(0, count).indexOf(0x0a);
    if (end < 0 && count === bytes) continue;
    const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };
    if (end < 0 || !readHead(buffer, 0, end, head) || !checksumFits(buffer, 0, end)) return null;
    if (head.kind !== "open" && head.kind !== "compacted") return null;
    return JSON.parse(buffer.toString("utf8", 0, end)) as FirstLine;
  }
  return null;
}
