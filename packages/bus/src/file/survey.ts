import { join } from "node:path";
import type { FileSystem } from "@orgloop/files";
import { listChain } from "./chain.ts";
import type { Damage } from "./errors.ts";
import { readFirstLine } from "./first-line.ts";
import type { LineHead, LineKind } from "./line.ts";
import { holdsLaterBatch } from "./read-segment.ts";
import { type BadLine, scanSegment } from "./scan.ts";
import type { SegmentName } from "./segment.ts";

/** Something in the log that is not as it was written. */
export interface WalProblem extends Damage {
  /**
   * `torn`: the end of the last segment, never acknowledged; the next start cuts it off by itself (or, while a process
   * runs, a write under way). `corrupt`: bytes changed. `missing`: a file is gone. `mismatch`: a file does not fit the others.
   */
  readonly kind: "torn" | "corrupt" | "missing" | "mismatch";
  /** Of the damaged part; 0 where it is not there. */
  readonly bytes: number;
  /** What is lost with it, in words. */
  readonly loses: string;
  /** The event whose line is damaged, where its id can still be read. */
  readonly eventId: string | null;
  /** Of `missing`: the numbers that are gone. */
  readonly missing?: { readonly from: number; readonly through: number };
  /** Two files claim the same numbers: only a person can say which is right. */
  readonly overlaps?: true;
}

/** One file as far as it can be read. */
export interface SurveyedFile {
  readonly name: SegmentName;
  readonly size: number;
  readonly lines: number;
  readonly bad: readonly BadLine[];
  /** The number of the last good line; of a file without any, the one before its first. */
  readonly lastSeq: number;
  /** CRC-32 of the file, where no line is bad. */
  readonly crc: number;
}

export interface Survey {
  readonly files: readonly SurveyedFile[];
  readonly leftovers: readonly string[];
  readonly problems: readonly WalProblem[];
}

/** Reads everything that can be read, past every damage. Changes nothing. */
export async function surveyLog(dir: string, fileSystem: FileSystem): Promise<Survey> {
  const { segments, leftovers } = await listChain(dir, fileSystem);
  const acked = new Set<number>();
  const files: SurveyedFile[] = [];
  const found: (WalProblem & { readonly seq: number | null })[] = [];
  let through = 0;
  for (const [index, name] of segments.entries()) {
    if (name.from !== through + 1) found.push(gapBefore(name, through));
    if (name.kind === "settled") {
      through = name.through as number;
      continue;
    }
    const next = segments[index + 1];
    const last = next === undefined && name.kind === "ordinary";
    const { file, problems } = await surveyFile(dir, name, last, acked, fileSystem);
    files.push(file);
    found.push(...problems);
    if (problems.length === 0) {
      const mismatch = await checkWhole(dir, file, next, fileSystem);
      if (mismatch !== null) found.push({ ...mismatch, seq: null });
    }
    through =
      name.through ??
      (problems.length > 0 && next !== undefined ? next.from - 1 : Math.max(file.lastSeq, through));
  }
  const problems = found.map(({ seq, ...problem }) =>
    seq !== null && acked.has(seq)
      ? { ...problem, loses: "nothing: the event is done with", eventId: problem.eventId }
      : problem,
  );
  return { files, leftovers, problems };
}

function gapBefore(name: SegmentName, through: number): WalProblem & { seq: null } {
  const missing = name.from > through;
  return {
    kind: missing ? "missing" : "mismatch",
    ...{ file: name.name, line: 0, offset: 0, bytes: 0, eventId: null, seq: null },
    reason: missing
      ? `the file with the numbers ${through + 1} to ${name.from - 1} is gone`
      : `it starts at number ${name.from}, but ${through} stands before it`,
    ...(missing
      ? { missing: { from: through + 1, through: name.from - 1 } }
      : { overlaps: true as const }),
    loses: missing
      ? `up to ${name.from - 1 - through} lines, among them every unsettled event of theirs`
      : "nothing, if one of the two is taken away",
  };
}

async function surveyFile(
  dir: string,
  name: SegmentName,
  last: boolean,
  acked: Set<number>,
  fileSystem: FileSystem,
): Promise<{ file: SurveyedFile; problems: (WalProblem & { seq: number | null })[] }> {
  const bad: BadLine[] = [];
  const problems: (WalProblem & { seq: number | null })[] = [];
  const ordinary = name.kind === "ordinary";
  let lastSeq = ordinary ? name.from - 1 : 0;
  let afterBad = false;
  let firstBadSeq = Number.POSITIVE_INFINITY;
  let synced = !last;
  const file = await fileSystem.open(join(dir, name.name), "read");
  try {
    const result = await scanSegment(file, {
      onLine(head) {
        if (head.batch > firstBadSeq) synced = true;
        const wrong = outOfOrder(head, lastSeq, ordinary && !afterBad);
        if (wrong !== null) {
          if (head.batch > lastSeq + 1) synced = true;
          return wrong;
        }
        afterBad = false;
        lastSeq = head.kind === "compacted" ? head.seq - 1 : head.seq;
        if (head.kind === "ack") acked.add(head.ref);
        return null;
      },
      onBad(line, _crc, bytes) {
        firstBadSeq = Math.min(firstBadSeq, lastSeq + 1);
        if (holdsLaterBatch(bytes, firstBadSeq)) synced = true;
        bad.push(line);
        const read = readable(bytes);
        problems.push({
          kind: "corrupt",
          ...{ file: name.name, line: line.line, offset: line.offset, bytes: line.length },
          ...{ reason: line.reason, loses: lossOf(read), eventId: read.eventId },
          seq: afterBad || !ordinary ? null : lastSeq + 1,
        });
        afterBad = true;
        return true;
      },
    });
    const size = await file.size();
    const torn = !synced;
    return {
      file: { name, size, lines: result.lines - bad.length, bad, lastSeq, crc: result.crc },
      problems: torn
        ? problems.map((each) => ({ ...each, kind: "torn", loses: "nothing acknowledged" }))
        : problems,
    };
  } finally {
    await file.close();
  }
}

function outOfOrder(head: LineHead, lastSeq: number, strict: boolean): string | null {
  if (strict ? head.seq === lastSeq + 1 : head.seq > lastSeq) return null;
  return `it is number ${head.seq}, expected ${lastSeq + 1}`;
}

async function checkWhole(
  dir: string,
  { name, lines, size, crc }: SurveyedFile,
  next: SegmentName | undefined,
  fileSystem: FileSystem,
): Promise<WalProblem | null> {
  let reason: string | null = null;
  if (name.kind === "compacted") {
    const records = (await readFirstLine(dir, name.name, fileSystem))?.compacted?.records;
    if (records !== lines - 1) reason = `it says that it holds ${records} lines, not ${lines - 1}`;
  } else if (next?.kind === "ordinary") {
    const seal = (await readFirstLine(dir, next.name, fileSystem))?.sealed;
    if (seal?.from === name.from && (seal.bytes !== size || seal.crc !== crc)) {
      reason = "it is not what it was when it was sealed";
    }
  }
  if (reason === null) return null;
  return {
    kind: "mismatch",
    ...{ file: name.name, line: 0, offset: 0, bytes: 0, reason, eventId: null },
    loses: "the lines that are not there",
  };
}

interface Readable {
  readonly kind: LineKind | null;
  readonly eventId: string | null;
}

const START_BYTES = 4096;

/** What a damaged line still tells. */
function readable(bytes: Buffer): Readable {
  const text = bytes.toString("utf8", 0, START_BYTES);
  const kind = /"(event|settle|ack|open|compacted)":/.exec(text)?.[1] as LineKind | undefined;
  const eventId = /"id":"([A-Za-z0-9_-]{1,200})"/.exec(text)?.[1];
  return { kind: kind ?? null, eventId: eventId ?? null };
}

function lossOf({ kind, eventId }: Readable): string {
  if (kind === "event")
    return `the event ${eventId ?? "(its id cannot be read)"}, unless it is done with`;
  if (kind === "ack") return "an ack: its event comes again";
  if (kind === "settle") return "a settled route: its event goes to that route again";
  if (kind === "open" || kind === "compacted") return "nothing but bookkeeping";
  return "a line that cannot be read: perhaps an event";
}
