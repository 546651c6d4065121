import type { Hits, Posting } from "./posting.ts";

/** A range of numbers, both ends included. */
export interface PostedRange {
  readonly low: number;
  readonly high: number;
  readonly posting: Posting;
}

/**
 * Ranges in the order of where they begin, as a balanced tree over their places: the middle one is
 * the root, and each knows how far the ranges below it reach. A lookup looks at few besides those
 * that hold the number.
 */
export class RangeTable {
  readonly #postings: readonly Posting[];
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  /** The highest end in the part of which each is the middle. */
  readonly #reach: Float64Array;

  constructor(ranges: readonly PostedRange[]) {
    const sorted = ranges.toSorted((one, other) => one.low - other.low);
    this.#postings = sorted.map(({ posting }) => posting);
    this.#low = Float64Array.from(sorted, ({ low }) => low);
    this.#high = Float64Array.from(sorted, ({ high }) => high);
    this.#reach = new Float64Array(sorted.length);
    this.#measure(0, sorted.length);
  }

  /** Hits what the ranges are posted for that hold `value`. */
  find(value: number, hits: Hits, from = 0, to = this.#postings.length): void {
    let end = to;
    while (from < end) {
      const middle = (from + end) >> 1;
      if ((this.#reach[middle] as number) < value) return;
      if ((this.#low[middle] as number) <= value) {
        if (value <= (this.#high[middle] as number)) hits.add(this.#postings[middle] as Posting);
        this.find(value, hits, middle + 1, end);
      }
      end = middle;
    }
  }

  #measure(from: number, to: number): number {
    if (from >= to) return Number.NEGATIVE_INFINITY;
    const middle = (from + to) >> 1;
    const below = Math.max(this.#measure(from, middle), this.#measure(middle + 1, to));
    this.#reach[middle] = Math.max(this.#high[middle] as number, below);
    return this.#reach[middle];
  }
}
