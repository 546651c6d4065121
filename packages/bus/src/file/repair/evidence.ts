import type { LineHead } from "../format/line.ts";
import type { Position } from "../format/segment.ts";

/** A good line of a log: where it stands, or itself, where a damaged one was mended. */
export interface SavedLine {
  readonly seq: number;
  readonly source: Position | Buffer;
}

/**
 * What all good lines of a damaged log say together: what is unsettled, and what the lines that are
 * not there can have been.
 */
export class Evidence {
  readonly #events = new Map<number, SavedLine>();
  readonly #settles = new Map<number, SavedLine[]>();
  readonly #acked = new Set<number>();
  /** Acks with a note, which may be kept nowhere else yet. */
  readonly #noted = new Map<number, SavedLine>();
  /** Behind `at`, everything before it that is not in `unsettled` was done with. */
  readonly #indexes: { readonly at: number; readonly unsettled: ReadonlySet<number> }[] = [];
  #lastOpen: SavedLine | null = null;

  note(head: LineHead, source: Position | Buffer): void {
    const line: SavedLine = { seq: head.seq, source };
    if (head.kind === "event" && !this.#events.has(head.seq)) this.#events.set(head.seq, line);
    else if (head.kind === "ack") {
      this.#acked.add(head.ref);
      if (head.noted) this.#noted.set(head.seq, line);
    } else if (head.kind === "settle") {
      const others = this.#settles.get(head.ref) ?? [];
      if (!others.some(({ seq }) => seq === head.seq)) others.push(line);
      this.#settles.set(head.ref, others);
    } else if (head.kind === "open" && head.seq > (this.#lastOpen?.seq ?? 0)) this.#lastOpen = line;
  }

  /** A good line, number `at`, lists all events before it that were unsettled. */
  index(at: number, unsettled: Iterable<number>): void {
    this.#indexes.push({ at, unsettled: new Set(unsettled) });
  }

  has(event: number): boolean {
    return this.#events.has(event);
  }

  isAcked(event: number): boolean {
    return this.#acked.has(event);
  }

  /** True where the event of that number, if there was one, is done with for sure. */
  isDone(number: number): boolean {
    return (
      this.#acked.has(number) ||
      this.#indexes.some(({ at, unsettled }) => at > number && !unsettled.has(number))
    );
  }

  /** True where another line says that this number was an event's. */
  isEvent(number: number): boolean {
    return (
      this.#settles.has(number) || this.#indexes.some(({ unsettled }) => unsettled.has(number))
    );
  }

  /** Numbers of a range that a line lists as unsettled. */
  *listed(from: number, through: number): Generator<number> {
    const seen = new Set<number>();
    for (const { unsettled } of this.#indexes) {
      for (const number of unsettled) {
        if (number < from || number > through || seen.has(number)) continue;
        seen.add(number);
        yield number;
      }
    }
  }

  /** True where some line says what is unsettled in numbers up to this one. */
  isListed(number: number): boolean {
    return this.#indexes.some(({ at }) => at > number);
  }

  /** What a log without the damaged lines has to hold, in the order of its numbers. */
  saved(): SavedLine[] {
    const lines: SavedLine[] = [...this.#noted.values()];
    if (this.#lastOpen !== null) lines.push(this.#lastOpen);
    for (const [seq, event] of this.#events) {
      if (!this.isDone(seq)) lines.push(event, ...(this.#settles.get(seq) ?? []));
    }
    return lines.sort((a, b) => a.seq - b.seq);
  }
}
