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
