interface Entry<T> {
  readonly atMs: number;
  readonly what: T;
}

/** So few are not worth the search for those that are no longer wanted. */
const FEW = 64;

/** Things to be looked at again at a time, earliest first: a binary heap. */
export class WakeList<T> {
  readonly #isWanted: (what: T, atMs: number) => boolean;
  #heap: Entry<T>[] = [];
  #pruneAt = FEW;

  /**
   * `isWanted`: false of an entry that may be forgotten before its time, so that memory does not
   * hold it until then.
   */
  constructor(isWanted: (what: T, atMs: number) => boolean) {
    this.#isWanted = isWanted;
  }

  /** At most twice what is wanted, and a few. */
  get size(): number {
    return this.#heap.length;
  }

  /** The earliest time, or null. */
  get nextMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  add(atMs: number, what: T): void {
    if (this.#heap.length >= this.#pruneAt) this.#prune();
    this.#push({ atMs, what });
  }

  /** Removes and yields everything that is due. */
  *due(nowMs: number): Generator<T> {
    for (
      let first = this.#heap[0];
      first !== undefined && first.atMs <= nowMs;
      first = this.#heap[0]
    ) {
      this.#removeFirst();
      yield first.what;
    }
  }

  #prune(): void {
    const wanted = this.#heap.filter(({ atMs, what }) => this.#isWanted(what, atMs));
    this.#heap = [];
    for (const entry of wanted) this.#push(entry);
    this.#pruneAt = Math.max(FEW, 2 * wanted.length);
  }

  #push(entry: Entry<T>): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= entry.atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = entry;
  }

  #removeFirst(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const left = 2 * at + 1;
      const right = left + 1;
      const rightIsLess = (heap[right]?.atMs ?? Infinity) < (heap[left]?.atMs ?? Infinity);
      const child = rightIsLess ? right : left;
      const below = heap[child];
      if (below === undefined || below.atMs >= last.atMs) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = last;
  }
}
