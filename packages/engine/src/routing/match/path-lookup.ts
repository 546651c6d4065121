import { AffixTable } from "./affix-table.ts";
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
  readonly #affixes: readonly { kind: Affix; as: ReadAs; table: AffixTable }[];
  readonly #ranges: RangeTable;

  constructor(path: EventPath, { values, folded, affixes, ranges }: PathPostings) {
    this.#path = path;
    this.#values = values;
    this.#folded = folded;
    this.#affixes = Array.from(affixes.values(), ({ kind, as, postings }) => {
      const table = new AffixTable(postings, kind === "suffix" ? "end" : "start");
      return { kind, as, table };
    });
    this.#ranges = new RangeTable([...ranges.values()]);
  }

  /** Hits all filters of which a key is that of a leaf at the path. */
  find(reading: Reading, hits: Hits): void {
    const one = this.#path.one(reading);
    if (one !== undefined) this.#findLeaf(one, hits);
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
    for (const { kind, as, table } of this.#affixes) {
      const text = readAs(leaf, as);
      if (text === null) continue;
      if (kind === "contains") table.findWithin(text, hits);
      else table.find(text, hits);
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
    if (key.kind === "value") return postingIn(this.values, key.value, key.kind);
    if (key.kind === "folded") return postingIn(this.folded, key.text, key.kind);
    if (key.kind === "range") return this.#ofRange(key.low, key.high);
    const { kind, as, text } = key;
    const name = `${kind} ${as}`;
    const table = this.affixes.get(name) ?? { kind, as, postings: new Map<string, Posting>() };
    this.affixes.set(name, table);
    return postingIn(table.postings, text, kind);
  }

  /** Leaves out what nothing is filed under. */
  compact(): void {
    leaveOutEmpty(this.values);
    leaveOutEmpty(this.folded);
    for (const [name, { postings }] of this.affixes) {
      leaveOutEmpty(postings);
      if (postings.size === 0) this.affixes.delete(name);
    }
    for (const [name, { posting }] of this.ranges) {
      if (posting.places.length === 0) this.ranges.delete(name);
    }
  }

  get size(): number {
    return this.values.size + this.folded.size + this.affixes.size + this.ranges.size;
  }

  #ofRange(low: number, high: number): Posting {
    const name = `${low} ${high}`;
    let range = this.ranges.get(name);
    if (range === undefined) {
      range = { low, high, posting: new Posting("range") };
      this.ranges.set(name, range);
    }
    return range.posting;
  }
}

function postingIn<Name>(postings: Map<Name, Posting>, name: Name, kind: Key["kind"]): Posting {
  let posting = postings.get(name);
  if (posting === undefined) {
    posting = new Posting(kind);
    postings.set(name, posting);
  }
  return posting;
}

function leaveOutEmpty(postings: Map<unknown, Posting>): void {
  for (const [name, { places }] of postings) if (places.length === 0) postings.delete(name);
}
