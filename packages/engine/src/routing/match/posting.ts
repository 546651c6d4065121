/** The filters that are filed under one key, as their places in an index. */
export class Posting {
  /** How many have the key, whether they are filed under it or not. */
  shared = 0;
  /** Those that hold where the key is met, and those that have to be asked. */
  sure: number[] | undefined;
  asked: number[] | undefined;
  #turn = 0;

  add(place: number, isSure: boolean): void {
    const places = (isSure ? this.sure : this.asked) ?? [];
    if (places.at(-1) !== place) places.push(place);
    if (isSure) this.sure = places;
    else this.asked = places;
  }

  get isEmpty(): boolean {
    return this.sure === undefined && this.asked === undefined;
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
  readonly sure: number[] = [];
  readonly asked: number[] = [];
  /** Whether the leaf is the only one at its path: else an equality may be about another. */
  isOnly = true;
  readonly #turn: number;

  constructor(turn: number) {
    this.#turn = turn;
  }

  add(posting: Posting): void {
    if (!posting.isFirst(this.#turn)) return;
    const { sure, asked } = posting;
    if (sure !== undefined)
      for (const place of sure) (this.isOnly ? this.sure : this.asked).push(place);
    if (asked !== undefined) for (const place of asked) this.asked.push(place);
  }
}
