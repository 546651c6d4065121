import { join } from "node:path";
import { checksumFits, type FileSystem, type OpenFile } from "@orgloop/files";
import type { Damage } from "./errors.ts";
import { firstLineOf, type Seal } from "./first-line.ts";
import { type LineHead, readHead } from "./line.ts";
import { compactedRule, type LineRule, ordinaryRule } from "./line-rule.ts";
import { type ScanResult, scanSegment } from "./scan.ts";
import type { SegmentName } from "./segment.ts";

/** What a segment holds, up to its first bad line. */
export interface SegmentReading {
  /** The number of the last line; of an ordinary segment without lines, the one before its first. */
  readonly through: number;
  /** Bytes and lines that are good. */
  readonly size: number;
  readonly lines: number;
  /** CRC-32 of the good bytes. */
  readonly crc: number;
  /** Where the last good batch starts. */
  readonly lastBatchOffset: number;
  readonly fileSize: number;
  readonly damage: Damage | null;
  /** The damage is what a crash leaves behind: the end of the last segment, and nothing after it was written later. */
  readonly torn: boolean;
}

export interface ReadSegmentOptions {
  /** Of an ordinary segment, from the first line of the next one. */
  readonly seal: Seal | null;
  /** It is the last one: its end may be torn. */
  readonly last: boolean;
  /** Each good line in order, up to the first bad one. `head` is reused. */
  readonly onLine: (head: LineHead, offset: number, length: number) => void;
}

export async function readSegment(
  dir: string,
  name: SegmentName,
  { seal, last, onLine }: ReadSegmentOptions,
  fileSystem: FileSystem,
): Promise<SegmentReading> {
  const file = await fileSystem.open(join(dir, name.name), "read");
  try {
    if (seal !== null) {
      const sealed = await scan(file, name, { seal, last, onLine });
      if (sealed.damage === null) return sealed;
      const located = await scan(file, name, { seal: null, last, onLine: () => undefined });
      return located.damage === null ? sealed : located;
    }
    const reading = await scan(file, name, { seal, last, onLine });
    if (name.kind === "ordinary" || reading.damage !== null) return reading;
    const damage = await checkCompacted(file, name, reading.lines);
    return { ...reading, damage };
  } finally {
    await file.close();
  }
}

async function scan(
  file: OpenFile,
  name: SegmentName,
  { seal, last, onLine }: ReadSegmentOptions,
): Promise<SegmentReading> {
  const rule: LineRule =
    name.kind === "ordinary"
      ? ordinaryRule(name.from)
      : compactedRule(name.from, name.through as number);
  let through = name.from - 1;
  let lastBatch = 0;
  let lastBatchOffset = 0;
  let damage: Damage | null = null;
  let good: Pick<ScanResult, "size" | "lines" | "crc"> | null = null;
  let torn = true;

  const result = await scanSegment(file, {
    ...(seal === null ? {} : { sealed: seal }),
    onLine(head, offset, length) {
      // A batch is written once the one before it is synced: a later one proves that the bad line had been synced.
      if (head.batch > through + 1) torn = false;
      if (damage !== null) return null;
      const reason = rule(head);
      if (reason !== null) return reason;
      if (head.batch !== lastBatch) {
        lastBatch = head.batch;
        lastBatchOffset = offset;
      }
      through = head.seq;
      onLine(head, offset, length);
      return null;
    },
    onBad(bad, crc, bytes) {
      if (last && holdsLaterBatch(bytes, through + 1)) torn = false;
      damage ??= { file: name.name, ...bad };
      good ??= { size: bad.offset, lines: bad.line - 1, crc };
      return last;
    },
  });
  if (result.bad !== null && result.bad.line === 0) {
    damage = { file: name.name, ...result.bad };
    torn = false;
  }
  const fileSize = await file.size();
  return {
    through: name.through ?? through,
    ...(good ?? { size: result.size, lines: result.lines, crc: result.crc }),
    lastBatchOffset,
    fileSize,
    damage,
    torn: damage !== null && last && torn,
  };
}

const LINE_START = '{"crc":"';

/** True where a bad line ends in a good one of a batch after number `seq`: a newline was damaged after both had been synced. */
export function holdsLaterBatch(bad: Buffer, seq: number): boolean {
  const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };
  const end = bad.length - 1;
  for (let at = bad.indexOf(LINE_START, 1); at > 0; at = bad.indexOf(LINE_START, at + 1)) {
    if (readHead(bad, at, end, head) && head.batch > seq && checksumFits(bad, at, end)) return true;
  }
  return false;
}

async function checkCompacted(
  file: OpenFile,
  { name, from, through }: SegmentName,
  lines: number,
): Promise<Damage | null> {
  const first = (await firstLineOf(file))?.compacted;
  const wrong =
    first === undefined
      ? "it does not begin with the line of a compacted segment"
      : first.from !== from || first.through !== through
        ? `it says that it covers ${first.from} to ${first.through}`
        : first.records !== lines - 1
          ? `it says that it holds ${first.records} lines, but it holds ${lines - 1}`
          : null;
  return wrong === null ? null : { file: name, line: 0, offset: 0, reason: wrong };
}
