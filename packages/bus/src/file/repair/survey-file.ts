import { join } from "node:path";
import { type FileSystem, type OpenFile, readFully } from "@orgloop/files";
import type { FirstLine } from "../format/first-line.ts";
import { type LineHead, readHead } from "../format/line.ts";
import type { Segment, SegmentName } from "../format/segment.ts";
import { scanSegment } from "../read/scan.ts";
import type { Evidence } from "./evidence.ts";
import { type Fragment, readFragments } from "./fragments.ts";
import type { ByteRange } from "./keep-aside.ts";
import { mend } from "./mend.ts";

/** Something in one file that is not as it was written. */
export interface Fault {
  readonly file: string;
  /** From 1; 0 where the file as a whole is meant. */
  readonly line: number;
  readonly offset: number;
  /** 0 where it is not there. */
  readonly bytes: number;
  readonly reason: string;
  /** The numbers of the lines that are not good; null where none is missing for it. */
  readonly gap: { readonly from: number; readonly through: number } | null;
  readonly fragments: readonly Fragment[];
  /** Lines in which one flipped bit was found: they are as good as the others. */
  readonly mended: number;
}

export interface SurveyFileOptions {
  /** Number of the last line that it must hold, as far as is known, and that it may hold. */
  readonly atLeast: number;
  readonly atMost: number;
  /** Behind so many bytes it is not looked at: that is torn. */
  readonly limit: number;
  readonly evidence: Evidence;
}

/** One file as far as it can be read. */
export interface SurveyedFile {
  readonly name: SegmentName;
  readonly size: number;
  readonly lines: number;
  /** The number of the last good line; of a file without any, the one before its first. */
  readonly lastSeq: number;
  /** What is not good in it. */
  readonly bad: readonly ByteRange[];
  readonly faults: readonly Fault[];
  /** Numbers that stand behind later ones. */
  readonly found: ReadonlySet<number>;
  /** CRC-32 of the file, where no line is bad. */
  readonly crc: number;
}

/** Reads all good lines of a file, past every damage, and tells `evidence` of them. */
export async function surveyFile(
  dir: string,
  name: SegmentName,
  options: SurveyFileOptions,
  fileSystem: FileSystem,
): Promise<SurveyedFile> {
  const file = await fileSystem.open(join(dir, name.name), "read");
  try {
    return await new FileSurvey(name, options).read(file);
  } finally {
    await file.close();
  }
}

/** Consecutive bad lines. */
interface Stretch {
  readonly line: number;
  readonly offset: number;
  readonly reason: string;
  readonly parts: Buffer[];
  length: number;
}

class FileSurvey {
  readonly #name: SegmentName;
  readonly #options: SurveyFileOptions;
  readonly #segment: Segment;
  readonly #faults: Fault[] = [];
  readonly #bad: ByteRange[] = [];
  readonly #found = new Set<number>();
  readonly #seen = new Set<number>();
  #lines = 0;
  #lastSeq: number;
  #stretch: Stretch | null = null;
  /** The line that is about to be called bad holds good data at the wrong place. */
  #misplaced = false;
  /** Closing records. */
  readonly #closed: LinePlace[] = [];
  /** The first line of a compacted segment. */
  #header: LinePlace | null = null;

  constructor(name: SegmentName, options: SurveyFileOptions) {
    this.#name = name;
    this.#options = options;
    this.#segment = { name: name.name, from: name.from, through: 0, size: 0, live: 0 };
    this.#lastSeq = name.from - 1;
  }

  async read(file: OpenFile): Promise<SurveyedFile> {
    const { limit, evidence } = this.#options;
    const { crc } = await scanSegment(file, {
      onLine: (head, offset, length) =>
        offset >= limit ? null : this.#good(head, offset, length, this.#lines + 1),
      onBad: (bad, _crc, bytes) => {
        if (bad.offset < limit) this.#badLine(bad, bytes);
        return true;
      },
    });
    this.#endStretch(null, 0);
    for (const position of this.#closed) {
      const { unsettled } = await parsed<{ unsettled?: number[] }>(file, position);
      if (unsettled !== undefined) evidence.index(position.seq, unsettled);
    }
    if (this.#isCompacted && this.#faults.length === 0) await this.#checkRecords(file);
    const size = await file.size();
    return {
      ...{ name: this.#name, size, lines: this.#lines, lastSeq: this.#lastSeq, crc },
      ...{ bad: this.#bad, faults: this.#faults, found: this.#found },
    };
  }

  #good(head: LineHead, offset: number, length: number, line: number): string | null {
    const { seq } = head;
    const header = head.kind === "compacted";
    const isFirst = this.#isCompacted && this.#lines === 0;
    if (seq < this.#name.from || seq > this.#options.atMost || (header && !isFirst)) {
      this.#misplaced = true;
      return `number ${seq} (${head.kind}) may not stand here`;
    }
    if (header) {
      this.#endStretch(seq, line);
      this.#lines += 1;
      this.#header = { seq, offset, length };
      return null;
    }
    if (head.kind === "close") this.#closed.push({ seq, offset, length });
    this.#options.evidence.note(head, { seq, segment: this.#segment, offset, length });
    if (seq <= this.#lastSeq) {
      this.#misplaced = true;
      if (!this.#seen.has(seq)) this.#found.add(seq);
      return `number ${seq} stands here, behind number ${this.#lastSeq}`;
    }
    this.#endStretch(seq, line);
    this.#seen.add(seq);
    this.#lastSeq = seq;
    this.#lines += 1;
    return null;
  }

  get #isCompacted(): boolean {
    return this.#name.kind === "compacted";
  }

  #badLine(
    {
      line,
      offset,
      length,
      reason,
    }: { line: number; offset: number; length: number; reason: string },
    bytes: Buffer,
  ): void {
    this.#bad.push({ start: offset, end: offset + length });
    if (this.#misplaced) {
      this.#misplaced = false;
      this.#faults.push({
        ...{ file: this.#name.name, line, offset, bytes: length, reason },
        ...{ gap: null, fragments: [], mended: 0 },
      });
      return;
    }
    this.#stretch ??= { line, offset, reason, parts: [], length: 0 };
    this.#stretch.parts.push(Buffer.from(bytes));
    this.#stretch.length += length;
  }

  /**
   * What was bad ends before number `next`, or at the end of the file, where nothing says how many
   * lines there were.
   */
  #endStretch(next: number | null, line: number): void {
    const stretch = this.#stretch;
    this.#stretch = null;
    const from = this.#lastSeq + 1;
    const file = this.#name.name;
    const { atLeast, atMost } = this.#options;
    if (stretch === null) {
      const [first, last] = [from, next === null ? atLeast : next - 1];
      if (last < first || this.#isCompacted) return;
      const numbers = first === last ? `number ${first} is` : `the numbers ${first} to ${last} are`;
      this.#faults.push({
        ...{ file, line, offset: 0, bytes: 0, reason: `${numbers} not there` },
        ...{ gap: { from: first, through: last }, fragments: [], mended: 0 },
      });
      return;
    }
    const bytes = Buffer.concat(stretch.parts);
    const fragments = readFragments(bytes);
    const reported = fragments.map(({ seq }) => seq ?? 0);
    const end = next === null ? Math.max(from, atLeast, ...reported) : next - 1;
    const through = Math.min(end, atMost);
    const mended = this.#mend(bytes, from, next === null ? atMost : through);
    this.#faults.push({
      ...{ file, line: stretch.line, offset: stretch.offset, bytes: stretch.length },
      reason: stretch.reason,
      gap: this.#gap(from, through),
      ...{ fragments, mended: mended.length },
    });
    if (next !== null) return;
    for (const seq of [...reported, ...mended]) {
      if (seq <= atMost) this.#lastSeq = Math.max(this.#lastSeq, seq);
    }
  }

  /**
   * Which numbers of a compacted segment had lines is known only for those that something lists.
   */
  #gap(from: number, through: number): Fault["gap"] {
    const name = this.#name;
    if (name.kind === "compacted") return { from: name.from, through: name.through as number };
    return through < from ? null : { from, through };
  }

  /** Holds a compacted segment without a bad line against what its first line says. */
  async #checkRecords(file: OpenFile): Promise<void> {
    const { name, from, through } = this.#name;
    const header = this.#header === null ? null : await parsed<FirstLine>(file, this.#header);
    const records = header?.compacted?.records ?? null;
    if (records === this.#lines - 1) return;
    const reason =
      records === null
        ? "it does not begin with the line of a compacted segment"
        : `it says that it holds ${records} lines, but it holds ${this.#lines - 1}`;
    this.#faults.push({
      ...{ file: name, line: 0, offset: 0, bytes: 0, reason, fragments: [], mended: 0 },
      gap: { from, through: through as number },
    });
  }

  /** The numbers of the lines that could be mended. */
  #mend(bytes: Buffer, from: number, through: number): number[] {
    const mended: number[] = [];
    for (const line of mend(bytes)) {
      const head: LineHead = { kind: "open", seq: 0, batch: 0, ref: 0, noted: false };
      if (!readHead(line, 0, line.length - 1, head)) continue;
      if (head.kind === "compacted") {
        // It is written anew: only that nothing is lost with it counts.
        if (this.#isCompacted) mended.push(this.#lastSeq);
        continue;
      }
      if (head.seq < from || head.seq > through) continue;
      this.#options.evidence.note(head, line);
      this.#found.add(head.seq);
      mended.push(head.seq);
    }
    return mended;
  }
}

interface LinePlace {
  readonly seq: number;
  readonly offset: number;
  readonly length: number;
}

async function parsed<Line>(file: OpenFile, { offset, length }: LinePlace): Promise<Line> {
  const bytes = Buffer.alloc(length);
  await readFully(file, bytes, offset);
  return JSON.parse(bytes.toString("utf8")) as Line;
}
