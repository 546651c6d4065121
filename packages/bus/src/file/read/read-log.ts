import { join } from "node:path";
import type { FileSystem } from "@orgloop/files";
import { OrgLoopError } from "@orgloop/sdk";
import { checkFollows, listChain } from "../format/chain.ts";
import { corruptError } from "../format/errors.ts";
import { type FirstLine, LOG_FORMAT, readFirstLine, type Seal } from "../format/first-line.ts";
import { type FoundHighWater, missingEnd, readHighWater } from "../format/high-water.ts";
import type { LineHead } from "../format/line.ts";
import type { Segment, SegmentName } from "../format/segment.ts";
import { readSegment, type SegmentReading } from "./read-segment.ts";
import { UnsettledLog } from "./unsettled.ts";
import { sumFile } from "./whole-file.ts";

/** A log as it stands on the disk. */
export interface LogReading {
  /** The file whose name says what is settled before the others. */
  readonly settledName: string | null;
  readonly sealed: readonly Segment[];
  /** The last ordinary segment, where it is the last of all. */
  readonly tail: TailReading | null;
  /** The number of the last line. */
  readonly through: number;
  /** How often the log was opened, as far as its opening lines say. */
  readonly opens: number;
  readonly unsettled: UnsettledLog;
  readonly leftovers: readonly string[];
  readonly highWater: FoundHighWater;
}

export interface TailReading extends SegmentReading {
  readonly segment: Segment;
  /** In ms since the epoch; null where it has no line yet. */
  readonly beganAt: number | null;
}

/**
 * `indexed`: sealed segments are checked as a whole where the last one says what is unsettled in
 * them; otherwise line by line.
 */
export interface ReadLogOptions {
  readonly indexed: boolean;
  /** Each good line that is read one by one. `head` is reused. */
  readonly onLine?: (head: LineHead, segment: Segment, offset: number, length: number) => void;
  /** A segment that is checked as a whole, when it is known to be good. */
  readonly onSealed?: (name: SegmentName, segment: Segment) => Promise<void>;
}

/**
 * Reads every segment of the log in `dir` once, and changes nothing. Throws `WAL_CORRUPT` where
 * acknowledged data is damaged, and `WAL_FORMAT` where a newer release wrote it.
 */
export async function readLog(
  dir: string,
  fileSystem: FileSystem,
  options: ReadLogOptions,
): Promise<LogReading> {
  // Before the files: it is a lower bound of what stands in them, also while a process writes.
  const highWater = await readHighWater(dir, fileSystem);
  const { segments, leftovers } = await listChain(dir, fileSystem);
  const reader = new LogReader(dir, fileSystem, options, highWater);
  const reading = await reader.read(segments);
  return { ...reading, leftovers, highWater };
}

class LogReader {
  readonly #dir: string;
  readonly #fileSystem: FileSystem;
  readonly #options: ReadLogOptions;
  readonly #highWater: FoundHighWater;
  readonly #unsettled = new UnsettledLog();
  readonly #sealed: Segment[] = [];
  readonly #ordinary = new Map<number, Segment>();
  #opens = 0;

  constructor(dir: string, fileSystem: FileSystem, options: ReadLogOptions, high: FoundHighWater) {
    this.#dir = dir;
    this.#fileSystem = fileSystem;
    this.#options = options;
    this.#highWater = high;
  }

  async read(names: readonly SegmentName[]) {
    const unsettled = this.#unsettled;
    const lastName = names.at(-1);
    const last = lastName?.kind === "ordinary" ? lastName : null;
    const firstLines = await this.#firstLines(names);
    const format = newestFormat(this.#dir, firstLines, this.#highWater);
    const lastFirst = last === null ? null : (firstLines.get(last.name) ?? null);
    const index = this.#options.indexed ? lastFirst?.unsettled : undefined;
    let settledName: string | null = null;
    let tail: TailReading | null = null;
    let through = 0;
    for (const [position, name] of names.entries()) {
      checkFollows(this.#dir, name, through);
      if (name.kind === "settled") {
        settledName = name.name;
        through = name.through as number;
        continue;
      }
      const segment: Segment = { name: name.name, from: name.from, through: 0, size: 0, live: 0 };
      const next = names[position + 1];
      const seal = next === undefined ? null : sealOf(name, firstLines.get(next.name));
      if (seal !== null && index !== undefined) {
        await this.#checkSealed(name, seal);
        segment.size = seal.bytes;
        segment.through = through = (next as SegmentName).from - 1;
        await this.#options.onSealed?.(name, segment);
        this.#seal(segment, name);
        continue;
      }
      if (name === last && index !== undefined) unsettled.restore(index, this.#ordinary);
      const reading = await this.#readLines(segment, name, seal, name === last);
      through = reading.through;
      if (name === last) tail = { ...reading, segment, beganAt: lastFirst?.at ?? null };
      else this.#seal(segment, name);
    }
    this.#checkEnd(through, tail, format);
    const opens = this.#opens;
    return { settledName, sealed: this.#sealed, tail, through, opens, unsettled };
  }

  /** By name; not of segments without a good one. */
  async #firstLines(names: readonly SegmentName[]): Promise<Map<string, FirstLine>> {
    const found = new Map<string, FirstLine>();
    for (const { kind, name } of names) {
      if (kind !== "ordinary") continue;
      const first = await readFirstLine(this.#dir, name, this.#fileSystem);
      if (first !== null) found.set(name, first);
    }
    return found;
  }

  async #readLines(segment: Segment, name: SegmentName, seal: Seal | null, last: boolean) {
    const { mark } = this.#highWater;
    const unsettled = this.#unsettled;
    unsettled.begin(segment, name.kind === "ordinary");
    const reading = await readSegment(
      this.#dir,
      name,
      {
        seal,
        synced: !last ? null : mark?.segment === name.from ? mark.bytes : 0,
        onLine: (head, offset, length) => {
          if (head.kind === "open") this.#opens = Math.max(this.#opens, head.ref);
          this.#options.onLine?.(head, segment, offset, length);
          unsettled.line(head, offset, length);
        },
      },
      this.#fileSystem,
    );
    unsettled.end();
    if (reading.damage !== null && !reading.torn) throw corruptError(this.#dir, reading.damage);
    segment.size = reading.size;
    segment.through = reading.through;
    return reading;
  }

  #seal(segment: Segment, { kind }: SegmentName): void {
    if (kind === "ordinary") this.#ordinary.set(segment.from, segment);
    this.#sealed.push(segment);
  }

  #checkEnd(through: number, tail: TailReading | null, format: number | null): void {
    const last =
      tail === null
        ? null
        : { name: tail.segment.name, from: tail.segment.from, fileSize: tail.fileSize };
    const end = missingEnd(this.#highWater, { through, last, format });
    if (end !== null) throw corruptError(this.#dir, end);
    const missing = this.#unsettled.missing();
    if (missing !== null && last !== null) {
      const reason = `it says that event ${missing} is unsettled, but that is nowhere`;
      throw corruptError(this.#dir, { file: last.name, line: 1, offset: 0, reason });
    }
  }

  /** Reads a sealed segment as a whole; line by line only to say where it is damaged. */
  async #checkSealed(name: SegmentName, seal: Seal): Promise<void> {
    const file = await this.#fileSystem.open(join(this.#dir, name.name), "read");
    try {
      const { bytes, crc } = await sumFile(file);
      if (bytes === seal.bytes && crc === seal.crc) return;
    } finally {
      await file.close();
    }
    const options = { seal, synced: null, onLine: () => undefined };
    const { damage } = await readSegment(this.#dir, name, options, this.#fileSystem);
    if (damage !== null) throw corruptError(this.#dir, damage);
  }
}

/** The seal of an ordinary segment; null where the next one has none. */
function sealOf(name: SegmentName, next: FirstLine | undefined): Seal | null {
  return name.kind === "ordinary" && next?.sealed?.from === name.from ? next.sealed : null;
}

/** Null: no segment says it, as before there was a high-water mark. Throws `WAL_FORMAT`. */
export function newestFormat(
  dir: string,
  firstLines: ReadonlyMap<string, FirstLine>,
  { mark }: FoundHighWater,
): number | null {
  let newest: number | null = null;
  for (const { format } of [...firstLines.values()]) {
    if (format !== undefined) newest = Math.max(newest ?? 0, format);
  }
  const written = Math.max(newest ?? 0, mark?.format ?? 0);
  if (written <= LOG_FORMAT) return newest;
  throw new OrgLoopError(
    "WAL_FORMAT",
    `the log in ${dir} was written by a newer release (format ${written}, this one knows ${LOG_FORMAT}): start that release, or choose another data directory`,
  );
}
