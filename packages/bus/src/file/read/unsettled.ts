import type { Index } from "../format/first-line.ts";
import type { LineHead } from "../format/line.ts";
import type { Position, Segment } from "../format/segment.ts";

/** The lines of an unsettled event. */
export interface UnsettledLines {
  readonly event: Position;
  readonly settles: Position[];
}

/**
 * Follows a scan and keeps where the unsettled events stand: what is settled in the same segment
 * costs an array slot.
 */
export class UnsettledLog {
  readonly #older = new Map<number, Position>();
  /**
   * In the index, and nowhere else: fine where the ack comes later, since then their segment may be
   * gone.
   */
  readonly #missing = new Set<number>();
  readonly #settles = new Map<number, Position[]>();
  #segment: Segment | null = null;
  #dense = true;
  /**
   * Of the segment being scanned, by `seq` from its first on: offset + 1, 0 where there is no
   * unsettled event.
   */
  #offsets = new Float64Array(1024);
  #lengths = new Uint32Array(1024);
  #count = 0;

  /** `dense`: its numbers rise by one, so that an array can hold them. */
  begin(segment: Segment, dense: boolean): void {
    this.#segment = segment;
    this.#dense = dense;
    this.#offsets.fill(0);
    this.#count = 0;
  }

  line(head: LineHead, offset: number, length: number): void {
    if (head.kind === "event") this.#event(head.seq, offset, length);
    else if (head.kind === "ack") this.#ack(head.ref);
    else if (head.kind === "settle") this.#settle(head, offset, length);
  }

  /** The segment is scanned: what is unsettled in it moves to the older ones. */
  end(): void {
    const segment = this.#segment as Segment;
    for (let index = 0; index < this.#count; index += 1) {
      const offset = this.#offsets[index] as number;
      if (offset === 0) continue;
      const seq = segment.from + index;
      const length = this.#lengths[index] as number;
      this.#older.set(seq, { seq, segment, offset: offset - 1, length });
    }
    this.#count = 0;
  }

  /**
   * Takes over the index of the segment to be scanned next; only compacted segments were scanned
   * before it.
   */
  restore(index: Index, ordinary: ReadonlyMap<number, Segment>): void {
    const wanted = new Set(index.events.map(([seq]) => seq as number));
    for (const seq of [...this.#older.keys()]) if (!wanted.has(seq)) this.#older.delete(seq);
    for (const seq of [...this.#settles.keys()]) if (!wanted.has(seq)) this.#settles.delete(seq);
    for (const [seq = 0, from, offset = 0, length = 0] of index.events) {
      const segment = from === undefined ? undefined : ordinary.get(from);
      if (segment !== undefined) this.#older.set(seq, { seq, segment, offset, length });
      else if (!this.#older.has(seq)) this.#missing.add(seq);
    }
    for (const [ref = 0, seq = 0, from = 0, offset = 0, length = 0] of index.settles) {
      const segment = ordinary.get(from);
      if (segment !== undefined) this.#addSettle(ref, { seq, segment, offset, length });
    }
  }

  /**
   * An event that the index says is unsettled and that no segment has; null where there is none.
   */
  missing(): number | null {
    return this.#missing.values().next().value ?? null;
  }

  /** In the order of publishing; counts their bytes in their segments. */
  result(): UnsettledLines[] {
    const lines: UnsettledLines[] = [];
    for (const [seq, event] of this.#older) {
      const settles = this.#settles.get(seq) ?? [];
      for (const { segment, length } of [event, ...settles]) segment.live += length;
      lines.push({ event, settles });
    }
    return lines.sort((a, b) => a.event.seq - b.event.seq);
  }

  #event(seq: number, offset: number, length: number): void {
    const segment = this.#segment as Segment;
    const index = seq - segment.from;
    if (!this.#dense) {
      this.#older.set(seq, { seq, segment, offset, length });
      return;
    }
    if (index >= this.#offsets.length) this.#grow(index);
    this.#offsets[index] = offset + 1;
    this.#lengths[index] = length;
    this.#count = index + 1;
  }

  #ack(ref: number): void {
    const index = ref - (this.#segment as Segment).from;
    if (index >= 0 && index < this.#count) this.#offsets[index] = 0;
    else if (!this.#older.delete(ref)) this.#missing.delete(ref);
    if (this.#settles.size > 0) this.#settles.delete(ref);
  }

  #settle(head: LineHead, offset: number, length: number): void {
    const segment = this.#segment as Segment;
    const index = head.ref - segment.from;
    const here = index >= 0 && index < this.#count && this.#offsets[index] !== 0;
    if (!here && !this.#older.has(head.ref)) return;
    this.#addSettle(head.ref, { seq: head.seq, segment, offset, length });
  }

  #addSettle(ref: number, position: Position): void {
    const settles = this.#settles.get(ref);
    if (settles === undefined) this.#settles.set(ref, [position]);
    else settles.push(position);
  }

  #grow(index: number): void {
    const size = Math.max(this.#offsets.length * 2, index + 1);
    const offsets = new Float64Array(size);
    offsets.set(this.#offsets);
    this.#offsets = offsets;
    const lengths = new Uint32Array(size);
    lengths.set(this.#lengths);
    this.#lengths = lengths;
  }
}
