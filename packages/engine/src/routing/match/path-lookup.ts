import { AffixTrie } from "./affix-trie.ts";
import type { EventPath, Reading } from "./event-path.ts";
import { foldCase, type Key, type ReadAs, readAs } from "./keys.ts";
import { type Hits, Posting } from "./posting.ts";
import { type PostedRange, RangeTable } from "./range-table.ts";

type Affix = "prefix" | "suffix" | "contains";

/** Where the filters are filed whose access predicates are about one path. */
export class PathLookup {
  readonly #path: EventPath;
  readonly #values: ReadonlyMap<unknown, Posting>;
  readonly #folded: ReadonlyMap<string, Posting>;
  readonly #affixes: readonly { kind: Affix; as: ReadAs; trie: AffixTrie }[];
  readonly #ranges: RangeTable;

  constructor(path: EventPath, { values, folded, affixes, ranges }: PathPostings) {
    this.#path = path;
    this.#values = values;
    this.#folded = folded;
    this.#affixes = Array.from(affixes.values(), ({ kind, as, postings }) => {
      const trie = new AffixTrie(postings, kind === "suffix" ? "end" : "start");
      return { kind, as, trie };
    });
    this.#ranges = new RangeTable([...ranges.values()]);
  }

  /** Hits all filters of which a key is that of a leaf at the path. */
  find(reading: Reading, hits: Hits): void {
    const one = this.#path.one(reading);
    hits.isOnly = one !== undefined;
    if (hits.isOnly) this.#findLeaf(one, hits);
    else for (const leaf of this.#path.many(reading) ?? []) this.#findLeaf(leaf, hits);
  }

  #findLeaf(leaf: unknown, hits: Hits): void {
    const equal = this.#values.get(leaf);
    if (equal !== undefined) hits.add(equal);
    if (typeof leaf === "number") this.#ranges.find(leaf, hits);
    if (typeof leaf !== "string") return;
    if (this.#folded.size > 0) {
      const same = this.#folded.get(foldCase(leaf));
      if (same !== undefined) hits.add(same);
    }
    for (const { kind, as, trie } of this.#affixes) {
      const text = readAs(leaf, as);
      if (text === null) continue;
      if (kind === "contains") trie.findWithin(text, hits);
      else trie.find(text, hits);
    }
  }
}

/** The postings of one path by their keys. */
export class PathPostings {
  readonly values = new Map<unknown, Posting>();
  readonly folded = new Map<string, Posting>();
  readonly affixes = new Map<string, { kind: Affix; as: ReadAs; postings: Map<string, Posting> }>();
  readonly ranges = new Map<string, PostedRange>();

  of(key: Key): Posting {
    if (key.kind === "value") return postingIn(this.values, key.value);
    if (key.kind === "folded") return postingIn(this.folded, key.text);
    if (key.kind === "range") return this.#ofRange(key.low, key.high);
    const { kind, as, text } = key;
    const name = `${kind} ${as}`;
    const table = this.affixes.get(name) ?? { kind, as, postings: new Map<string, Posting>() };
    this.affixes.set(name, table);
    return postingIn(table.postings, text);
  }

  /** Leaves out what nothing is filed under. */
  leaveOutEmpty(): void {
    leaveOutEmpty(this.values);
    leaveOutEmpty(this.folded);
    for (const [name, { postings }] of this.affixes) {
      leaveOutEmpty(postings);
      if (postings.size === 0) this.affixes.delete(name);
    }
    for (const [name, { posting }] of this.ranges) {
      if (posting.isEmpty) this.ranges.delete(name);
    }
  }

  get size(): number {
    return this.values.size + this.folded.size + this.affixes.size + this.ranges.size;
  }

  #ofRange(low: number, high: number): Posting {
    const name = `${low} ${high}`;
    let range = this.ranges.get(name);
    if (range === undefined) {
      range = { low, high, posting: new Posting() };
      this.ranges.set(name, range);
    }
    return range.posting;
  }
}

function postingIn<Name>(postings: Map<Name, Posting>, name: Name): Posting {
  let posting = postings.get(name);
  if (posting === undefined) {
    posting = new Posting();
    postings.set(name, posting);
  }
  return posting;
}

function leaveOutEmpty(postings: Map<unknown, Posting>): void {
  for (const [name, posting] of postings) if (posting.isEmpty) postings.delete(name);
}
