/** Things to be looked at again at a time, earliest first: a binary heap. */
export class WakeList<T> {
  readonly #heap: { readonly atMs: number; readonly what: T }[] = [];

  /** The earliest time, or null. */
  get nextMs(): number | null {
    return this.#heap[0]?.atMs ?? null;
  }

  add(atMs: number, what: T): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || above.atMs <= atMs) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = { atMs, what };
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
