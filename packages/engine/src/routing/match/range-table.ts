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
  readonly #ranges: readonly PostedRange[];
  /** The highest end in the part of which each is the middle. */
  readonly #reach: Float64Array;

  constructor(ranges: readonly PostedRange[]) {
    this.#ranges = ranges.toSorted((one, other) => one.low - other.low || one.high - other.high);
    this.#reach = new Float64Array(ranges.length);
    this.#measure(0, ranges.length);
  }

  /** Hits what the ranges are posted for that hold `value`. */
  find(value: number, hits: Hits, from = 0, to = this.#ranges.length): void {
    if (from >= to) return;
    const middle = (from + to) >> 1;
    if ((this.#reach[middle] as number) < value) return;
    this.find(value, hits, from, middle);
    const { low, high, posting } = this.#ranges[middle] as PostedRange;
    if (low > value) return;
    if (value <= high) hits.add(posting);
    this.find(value, hits, middle + 1, to);
  }

  #measure(from: number, to: number): number {
    if (from >= to) return Number.NEGATIVE_INFINITY;
    const middle = (from + to) >> 1;
    const { high } = this.#ranges[middle] as PostedRange;
    const reach = Math.max(high, this.#measure(from, middle), this.#measure(middle + 1, to));
    this.#reach[middle] = reach;
    return reach;
  }
}
