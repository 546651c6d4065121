import type { Key } from "./keys.ts";

/** What a filter found by a key of a kind costs, beside one found by an equal value. */
const COST: Readonly<Record<Key["kind"], number>> = {
  ...{ value: 1, folded: 1.1, prefix: 2, suffix: 2, range: 3, contains: 4 },
};

/** The filters that are filed under one key. */
export class Posting {
  readonly places: number[] = [];
  /** How many filters share the key, by what they cost, whether they are filed under it or not. */
  cost = 0;
  readonly #kind: Key["kind"];
  #turn = 0;

  constructor(kind: Key["kind"]) {
    this.#kind = kind;
  }

  share(): void {
    this.cost += COST[this.#kind];
  }

  /** True for the first that asks in a reading: several leaves may lead here. */
  isFirst(turn: number): boolean {
    if (this.#turn === turn) return false;
    this.#turn = turn;
    return true;
  }
}

/** The places of the filters that one reading has found by their keys, each maybe several times. */
export class Hits {
  readonly places: number[] = [];
  readonly #turn: number;

  constructor(turn: number) {
    this.#turn = turn;
  }

  add(posting: Posting): void {
    if (!posting.isFirst(this.#turn)) return;
    for (const place of posting.places) this.places.push(place);
  }
}
