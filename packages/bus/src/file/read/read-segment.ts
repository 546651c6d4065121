import { join } from "node:path";
import { type FileSystem, type OpenFile, readFully } from "@orgloop/files";
import type { Damage } from "../format/errors.ts";
import { firstLineOf, type Seal } from "../format/first-line.ts";
import type { LineHead } from "../format/line.ts";
import { compactedRule, type LineRule, ordinaryRule } from "../format/line-rule.ts";
import type { SegmentName } from "../format/segment.ts";
import { scanSegment } from "./scan.ts";
import { notTorn, type Tail } from "./torn-tail.ts";

/** What a segment holds, up to its first bad line. */
export interface SegmentReading {
  /**
   * The number of the last line; of an ordinary segment without lines, the one before its first.
   */
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
  /** The damage is what a crash leaves behind: {@link notTorn}. */
  readonly torn: boolean;
}

export interface ReadSegmentOptions {
  /** Of an ordinary segment, from the first line of the next one. */
  readonly seal: Seal | null;
  /**
   * Of the last segment, whose end may be torn: as many bytes of it are certainly on the disk. Null
   * for the others.
   */
  readonly synced: number | null;
  /** Each good line in order, up to the first bad one. `head` is reused. */
  readonly onLine: (head: LineHead, offset: number, length: number) => void;
}

export async function readSegment(
  dir: string,
  name: SegmentName,
  options: ReadSegmentOptions,
  fileSystem: FileSystem,
): Promise<SegmentReading> {
  const file = await fileSystem.open(join(dir, name.name), "read");
  try {
    const reading = await scan(file, name, options);
    if (options.seal !== null && reading.damage !== null) {
      const located = await scan(file, name, { ...options, seal: null, onLine: () => undefined });
      return located.damage === null ? reading : located;
    }
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
  { seal, synced, onLine }: ReadSegmentOptions,
): Promise<SegmentReading> {
  const rule: LineRule =
    name.kind === "ordinary"
      ? ordinaryRule(name.from)
      : compactedRule(name.from, name.through as number);
  let through = name.from - 1;
  let batch = 0;
  let lastBatchOffset = 0;
  const result = await scanSegment(file, {
    ...(seal === null ? {} : { sealed: seal }),
    onLine(head, offset, length) {
      const reason = rule(head);
      if (reason !== null) return reason;
      if (head.batch !== batch) {
        batch = head.batch;
        lastBatchOffset = offset;
      }
      through = head.seq;
      onLine(head, offset, length);
      return null;
    },
  });
  const fileSize = await file.size();
  const { bad, size } = result;
  // Settled meanwhile: its name is another file's, or nobody's, from now on.
  if (fileSize < size) {
    throw Object.assign(new Error(`${name.name} was emptied meanwhile`), { code: "ENOENT" });
  }
  let damage: Damage | null = bad === null ? null : { file: name.name, ...bad };
  let torn = false;
  if (bad !== null && bad.line > 0 && synced !== null && size >= synced) {
    const reason = await whyNotTorn(file, { offset: size, fileSize, through, batch });
    torn = reason === null;
    if (reason !== null) damage = { file: name.name, ...bad, reason };
  }
  return {
    through: name.through ?? through,
    ...{ size, lines: result.lines, crc: result.crc },
    ...{ lastBatchOffset, fileSize, damage, torn },
  };
}

/** No batch has so many bytes. */
const LARGEST_TAIL_BYTES = 1024 ** 3;

/** Looks at the end of a log from its first bad line on: {@link notTorn}. */
export async function whyNotTorn(
  file: OpenFile,
  end: { readonly offset: number; readonly fileSize: number } & Pick<Tail, "through" | "batch">,
): Promise<string | null> {
  const { offset, fileSize, through, batch } = end;
  if (fileSize - offset > LARGEST_TAIL_BYTES) return "it is more than what is written at once";
  const bytes = Buffer.allocUnsafe(fileSize - offset);
  const count = await readFully(file, bytes, offset);
  return notTorn({ bytes: bytes.subarray(0, count), offset, through, batch });
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
