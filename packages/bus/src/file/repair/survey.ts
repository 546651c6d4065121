import type { FileSystem } from "@orgloop/files";
import { listChain } from "../format/chain.ts";
import type { Damage } from "../format/errors.ts";
import { type FirstLine, readFirstLine } from "../format/first-line.ts";
import {
  type FoundHighWater,
  type HighWater,
  missingEnd,
  readHighWater,
} from "../format/high-water.ts";
import type { SegmentName } from "../format/segment.ts";
import { newestFormat } from "../read/read-log.ts";
import { readSegment } from "../read/read-segment.ts";
import { Evidence } from "./evidence.ts";
import { type LostLine, lossOf } from "./loss.ts";
import { type Fault, type SurveyedFile, surveyFile } from "./survey-file.ts";

/** Something in the log that is not as it was written. */
export interface WalProblem extends Damage {
  /**
   * `torn`: the end of the last segment, never acknowledged; the next start cuts it off by itself
   * (or, while a process runs, a write under way). `corrupt`: bytes changed. `missing`: lines or a
   * file are gone. `mismatch`: what is there does not fit.
   */
  readonly kind: "torn" | "corrupt" | "missing" | "mismatch";
  /** Of the damaged part; 0 where it is not there. */
  readonly bytes: number;
  /** What a repair loses with it, in words. */
  readonly loses: string;
  /** The same, line by line. */
  readonly lost: readonly LostLine[];
  /** The event whose line is damaged, where its id can still be read. */
  readonly eventId: string | null;
}

export interface Survey {
  readonly files: readonly SurveyedFile[];
  /** All names of the log, settled ones too. */
  readonly names: readonly string[];
  readonly leftovers: readonly string[];
  readonly kept: readonly string[];
  readonly problems: readonly WalProblem[];
  readonly evidence: Evidence;
  /** The highest number that the log has had. */
  readonly through: number;
  readonly torn: TornEnd | null;
}

/** The last segment's end, where a crash has torn it. */
export interface TornEnd {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  readonly offset: number;
  readonly fileSize: number;
  readonly reason: string;
}

/** Reads everything that can be read, past every damage. Changes nothing. Throws `WAL_FORMAT`. */
export async function surveyLog(dir: string, fileSystem: FileSystem): Promise<Survey> {
  const highWater = await readHighWater(dir, fileSystem);
  const { segments, leftovers, kept } = await listChain(dir, fileSystem);
  const evidence = new Evidence();
  const firstLines = await readFirstLines(dir, segments, evidence, fileSystem);
  const format = newestFormat(dir, firstLines, highWater);
  const survey = new LogSurvey(dir, fileSystem, evidence, highWater.mark);
  await survey.read(segments);
  survey.checkEnd(highWater, format);
  const { files, torn, through } = survey;
  const names = segments.map(({ name }) => name);
  const problems = survey.problems();
  return { files, names, leftovers, kept, problems, evidence, torn, through };
}

interface FoundFault extends Fault {
  readonly kind: WalProblem["kind"];
  readonly dense: boolean;
}

class LogSurvey {
  readonly #dir: string;
  readonly #fileSystem: FileSystem;
  readonly #evidence: Evidence;
  readonly #mark: HighWater | null;
  readonly #faults: FoundFault[] = [];
  readonly files: SurveyedFile[] = [];
  torn: TornEnd | null = null;
  /** Good bytes of the last segment. */
  #tailBytes = 0;
  /** The number that the log reaches. */
  #reach = 0;

  constructor(dir: string, fileSystem: FileSystem, evidence: Evidence, mark: HighWater | null) {
    this.#dir = dir;
    this.#fileSystem = fileSystem;
    this.#evidence = evidence;
    this.#mark = mark;
  }

  get through(): number {
    return Math.max(this.#reach, this.#mark?.through ?? 0);
  }

  async read(segments: readonly SegmentName[]): Promise<void> {
    for (const [index, name] of segments.entries()) {
      if (name.from !== this.#reach + 1) this.#faults.push(gapBefore(name, this.#reach));
      if (name.kind === "settled") this.#reach = name.through as number;
      else await this.#file(name, segments[index + 1]);
    }
  }

  async #file(name: SegmentName, next: SegmentName | undefined): Promise<void> {
    const mark = this.#mark?.segment === name.from ? this.#mark : null;
    const isTail = next === undefined && name.kind === "ordinary";
    const damage = isTail ? await this.#readTail(name, mark?.bytes ?? 0) : null;
    const last = name.through ?? (next === undefined ? null : next.from - 1);
    const options = {
      atLeast: last ?? mark?.through ?? 0,
      atMost: last ?? (mark?.closed === true ? mark.through : Number.POSITIVE_INFINITY),
      limit: isTail && damage === null ? this.#tailBytes : Number.POSITIVE_INFINITY,
      evidence: this.#evidence,
    };
    const file = await surveyFile(this.#dir, name, options, this.#fileSystem);
    this.files.push(file);
    for (const fault of file.faults) {
      this.#faults.push({
        ...fault,
        reason: fault.offset === damage?.offset ? damage.reason : fault.reason,
        kind: fault.bytes === 0 ? "missing" : "corrupt",
        dense: name.kind === "ordinary",
      });
    }
    this.#reach = last ?? Math.max(file.lastSeq, this.#reach);
  }

  /** Whether the end is torn; otherwise its damage, if there is any. */
  async #readTail(name: SegmentName, synced: number): Promise<Damage | null> {
    const options = { seal: null, synced, onLine: () => undefined };
    const reading = await readSegment(this.#dir, name, options, this.#fileSystem);
    const { damage, size, fileSize } = reading;
    // What a process appends after this reading is not looked at.
    this.#tailBytes = size;
    if (!reading.torn || damage === null) return damage;
    this.torn = {
      name: name.name,
      line: damage.line,
      offset: size,
      fileSize,
      reason: damage.reason,
    };
    return null;
  }

  /** Holds the end against the high-water mark, where nothing is known to be wrong with it yet. */
  checkEnd(highWater: FoundHighWater, format: number | null): void {
    const file = this.files.at(-1);
    const last =
      file?.name.kind === "ordinary"
        ? { name: file.name.name, from: file.name.from, fileSize: file.size }
        : null;
    const end = missingEnd(highWater, { through: this.#reach, last, format });
    if (end === null || this.#faults.some((fault) => fault.file === end.file)) return;
    const [from, through] = [this.#reach + 1, this.through];
    this.#faults.push({
      ...end,
      ...{ kind: "missing", bytes: 0, dense: true, fragments: [], mended: 0 },
      gap: through < from ? null : { from, through },
    });
  }

  problems(): WalProblem[] {
    const found = this.#faults.map((fault) => problemOf(fault, this.files, this.#evidence));
    if (this.torn === null) return found;
    const { name: file, line, offset, fileSize, reason } = this.torn;
    const loses = "nothing acknowledged";
    const bytes = fileSize - offset;
    return [
      ...found,
      { kind: "torn", file, line, offset, bytes, reason, loses, lost: [], eventId: null },
    ];
  }
}

function gapBefore(name: SegmentName, through: number): FoundFault {
  const missing = name.from > through;
  return {
    ...{ file: name.name, line: 0, offset: 0, bytes: 0, fragments: [], mended: 0, dense: true },
    kind: missing ? "missing" : "mismatch",
    reason: missing
      ? `the file with the numbers ${through + 1} to ${name.from - 1} is gone`
      : `it starts at number ${name.from}, but ${through} stands before it`,
    gap: missing ? { from: through + 1, through: name.from - 1 } : null,
  };
}

function problemOf(
  fault: FoundFault,
  files: readonly SurveyedFile[],
  evidence: Evidence,
): WalProblem {
  const { kind, file, line, offset, bytes, reason, gap, fragments, mended, dense } = fault;
  const found = files.find(({ name }) => name.name === file)?.found ?? new Set<number>();
  const loss =
    gap === null
      ? { lost: [], text: "nothing" }
      : lossOf({ ...gap, dense, fragments, found }, evidence);
  const isMended = mended > 0 && loss.lost.length === 0;
  return {
    ...{ kind, file, line, offset, bytes, reason },
    loses: isMended ? "nothing: one bit was flipped, and is known" : loss.text,
    lost: loss.lost,
    eventId: fragments.find(({ eventId }) => eventId !== null)?.eventId ?? null,
  };
}

/** Of ordinary segments, by name; what they and closing records list is evidence. */
async function readFirstLines(
  dir: string,
  segments: readonly SegmentName[],
  evidence: Evidence,
  fileSystem: FileSystem,
): Promise<Map<string, FirstLine>> {
  const found = new Map<string, FirstLine>();
  for (const { kind, name } of segments) {
    if (kind !== "ordinary") continue;
    const first = await readFirstLine(dir, name, fileSystem);
    if (first === null) continue;
    found.set(name, first);
    if (first.unsettled !== undefined) {
      evidence.index(
        first.seq,
        first.unsettled.events.map(([seq]) => seq as number),
      );
    }
  }
  return found;
}
