import { byteLines } from "./byte-lines.ts";
import { type CheckedLine, decodeChecked } from "./checked-line.ts";
import type { OpenFile } from "./file-system.ts";
import { type Reached, syncedOf } from "./mark/high-water-mark.ts";
import type { Place } from "./read-lines.ts";

/** What is wrong with a file of checksummed lines, and which of its lines that has cost. */
export interface LineDamage {
  readonly reason: string;
  /** How many lines are lost by it. */
  readonly lost: number;
  /** Counted from 1, as an editor does; null where nothing stands there. */
  readonly line: number | null;
  /** What stands there instead. */
  readonly place: Place;
}

/** A file of checksummed lines as it was found. */
export interface LinesSurvey {
  /**
   * `empty`: nothing was ever written. `plain`: lines without checksums, as an earlier version
   * wrote them.
   */
  readonly kind: "empty" | "plain" | "checked";
  /** Null where the first line cannot be read. */
  readonly generation: number | null;
  /** Number of the last line; -1: none. */
  readonly last: number;
  readonly damages: readonly LineDamage[];
  /** Lines stand where they do not belong: those from there on were not given to `onLine`. */
  readonly disordered: boolean;
  /** Where what a crash has torn begins, else the end of the file. */
  readonly end: number;
  readonly bytes: number;
  /** Where what was not known to be synced begins. */
  readonly unsyncedFrom: number;
}

/** Numbers of the lines that are missing there, both inclusive; `from` > `through`: none is. */
interface Found extends Omit<LineDamage, "lost"> {
  readonly from: number;
  readonly through: number;
}

/** Bytes that are no line, until a line follows. */
interface Gap {
  readonly offset: number;
  readonly line: number;
  length: number;
  /** So far only what a crash leaves: sectors of zeros, or a line without its end. */
  crashLike: boolean;
}

/**
 * Reads a file of checksummed lines through once and says what is wrong with it. `mark`: how far it
 * was synced, null where that is not known. Of what follows the mark, nothing was acknowledged:
 * there, what a crash leaves is torn and no damage. `onLine` gets the bodies of the sound lines in
 * order, but not the first line, which is ours.
 */
export async function surveyLines(
  file: OpenFile,
  mark: Reached | null,
  onLine: (body: Buffer, place: Place) => void,
): Promise<LinesSurvey> {
  const survey = new Survey(mark, onLine);
  for await (const lines of byteLines(file)) {
    for (const { bytes, place, ended } of lines) survey.add(bytes, place, ended);
  }
  return survey.result();
}

class Survey {
  readonly #mark: Reached | null;
  readonly #onLine: (body: Buffer, place: Place) => void;
  readonly #damages: Found[] = [];
  /** Numbers of lines that came later than they should have. */
  readonly #late = new Set<number>();
  #gap: Gap | null = null;
  #generation: number | null = null;
  #expected = 0;
  #lines = 0;
  #sound = 0;
  #bytes = 0;
  #disordered = false;
  #tornAt: number | null = null;
  #unsyncedFrom: number | null = null;

  constructor(mark: Reached | null, onLine: (body: Buffer, place: Place) => void) {
    this.#mark = mark;
    this.#onLine = onLine;
  }

  add(bytes: Buffer, place: Place, ended: boolean): void {
    this.#lines += 1;
    this.#bytes = place.offset + place.length;
    if (this.#tornAt !== null) return;
    const line = ended ? decodeChecked(bytes) : null;
    if (line === null) this.#addBad(bytes, place, ended);
    else this.#addSound(line, place);
  }

  #addBad(bytes: Buffer, { offset, length }: Place, ended: boolean): void {
    this.#gap ??= { offset, line: this.#lines, length: 0, crashLike: true };
    this.#gap.length += length;
    if (ended && !bytes.includes(0)) this.#gap.crashLike = false;
  }

  #addSound({ seq, body }: CheckedLine, place: Place): void {
    this.#sound += 1;
    if (this.#gap !== null && this.#isTorn(this.#gap)) return;
    if (seq < this.#expected) {
      this.#closeGap(this.#expected);
      const nowhere = { offset: place.offset, length: 0 };
      this.#note(`number ${seq} may not stand here`, seq + 1, seq, this.#lines, nowhere);
      this.#late.add(seq);
      this.#disordered = true;
      return;
    }
    this.#closeGap(seq, place.offset);
    this.#expected = seq + 1;
    if (seq === 0) this.#generation = Number(JSON.parse(body.toString()).generation);
    else if (!this.#disordered) this.#onLine(body, place);
    if (seq > this.#synced && this.#unsyncedFrom === null) this.#unsyncedFrom = place.offset;
  }

  /** Lines up to this number are known to have been synced. */
  get #synced(): number {
    if (this.#mark === null) return Number.POSITIVE_INFINITY;
    // A rewrite is synced before it takes the file's name.
    return syncedOf(this.#mark, this.#generation) ?? Number.POSITIVE_INFINITY;
  }

  #isTorn({ crashLike, offset }: Gap): boolean {
    if (!crashLike || this.#expected <= this.#synced) return false;
    this.#tornAt = offset;
    return true;
  }

  /** What stands before line `seq` is no line, or `seq` is not the next one. */
  #closeGap(seq: number, offset = 0): void {
    const gap = this.#gap;
    this.#gap = null;
    if (gap !== null) {
      this.#note("no line with a fitting checksum", this.#expected, seq - 1, gap.line, gap);
    } else if (seq > this.#expected) {
      const reason = `line ${this.#lines} has number ${seq}, expected ${this.#expected}`;
      this.#note(reason, this.#expected, seq - 1, null, { offset, length: 0 });
    }
  }

  #note(reason: string, from: number, through: number, line: number | null, place: Place): void {
    const { offset, length } = place;
    this.#damages.push({ reason, from, through, line, place: { offset, length } });
  }

  result(): LinesSurvey {
    const kind = this.#kind();
    if (kind === "checked") this.#end();
    return {
      kind,
      generation: this.#generation,
      last: this.#expected - 1,
      damages: kind === "checked" ? this.#damages.map((damage) => this.#counted(damage)) : [],
      disordered: this.#disordered,
      end: this.#tornAt ?? this.#bytes,
      bytes: this.#bytes,
      unsyncedFrom: Math.min(this.#unsyncedFrom ?? this.#bytes, this.#tornAt ?? this.#bytes),
    };
  }

  #counted({ from, through, ...damage }: Found): LineDamage {
    let lost = 0;
    // The first line is ours: it holds nothing.
    for (let seq = Math.max(1, from); seq <= through; seq += 1) if (!this.#late.has(seq)) lost += 1;
    return { ...damage, lost };
  }

  #kind(): LinesSurvey["kind"] {
    if (this.#sound > 0 || (this.#mark !== null && this.#mark.generation > 0)) {
      return this.#bytes === 0 && (this.#mark?.synced ?? -1) < 0 ? "empty" : "checked";
    }
    return this.#bytes === 0 ? "empty" : "plain";
  }

  #end(): void {
    const synced = Number.isFinite(this.#synced) ? this.#synced : this.#expected - 1;
    if (this.#gap !== null && this.#isTorn(this.#gap)) this.#gap = null;
    if (this.#gap !== null) this.#closeGap(Math.max(synced + 1, this.#expected));
    else if (this.#expected <= synced) {
      const reason = "the end is missing";
      const place = { offset: this.#bytes, length: 0 };
      this.#note(reason, this.#expected, synced, null, place);
    }
  }
}
