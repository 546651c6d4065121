interface Node<T> {
  readonly value: T;
  before: Node<T> | undefined;
  after: Node<T> | undefined;
}

/**
 * A set in the order of insertion, everything in constant time. A JavaScript set is none for a long
 * queue: to find its first element it walks over the places of those that were deleted.
 */
export class Fifo<T> {
  readonly #nodes = new Map<T, Node<T>>();
  #first: Node<T> | undefined;
  #last: Node<T> | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  get first(): T | undefined {
    return this.#first?.value;
  }

  /** Puts it last; what is in already stays where it is. */
  add(value: T): void {
    if (this.#nodes.has(value)) return;
    const node: Node<T> = { value, before: this.#last, after: undefined };
    this.#nodes.set(value, node);
    if (this.#last === undefined) this.#first = node;
    else this.#last.after = node;
    this.#last = node;
  }

  delete(value: T): void {
    const node = this.#nodes.get(value);
    if (node === undefined) return;
    this.#nodes.delete(value);
    if (node.before === undefined) this.#first = node.after;
    else node.before.after = node.after;
    if (node.after === undefined) this.#last = node.before;
    else node.after.before = node.before;
  }

  *[Symbol.iterator](): Generator<T> {
    for (let node = this.#first; node !== undefined; node = node.after) yield node.value;
  }
}

interface Entry<T> {
  readonly atMs: number;
  readonly what: T;
}

/** So few are not worth the search for those that are no longer wanted. */
const MIN_PRUNED = 64;

/** Things to be looked at again at a time, earliest first: a binary heap. */
export class WakeList<T> {
  readonly #isWanted: (what: T, atMs: number) => boolean;
  #heap: Entry<T>[] = [];
  #pruneAt = MIN_PRUNED;

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
    this.#pruneAt = Math.max(MIN_PRUNED, 2 * wanted.length);
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
