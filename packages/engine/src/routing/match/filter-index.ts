import type { Clause, FilterTest } from "./compiled-filter.ts";
import type { EventPath, Reading } from "./event-path.ts";
import { PathLookup, PathPostings } from "./path-lookup.ts";
import { Hits, type Posting } from "./posting.ts";
import type { Predicate } from "./predicate.ts";

/** So few are asked one by one sooner than they are looked up. */
const MAX_UNCOUNTED = 4;

/** The keys under one of which a clause is found: one predicate's, or one of each branch. */
interface Access {
  readonly postings: readonly Posting[];
  readonly cost: number;
}

/**
 * Filters, each filed under the keys of one access predicate: the one that it shares with the
 * fewest others. Those that have none, and few, are asked at every event.
 */
export class FilterIndex {
  readonly filters: readonly FilterTest[];
  readonly #always: readonly number[];
  readonly #lookups: readonly PathLookup[];

  constructor(filters: readonly FilterTest[]) {
    this.filters = filters;
    const places = [...filters.keys()];
    const filing = new Filing();
    if (filters.length > MAX_UNCOUNTED) for (const { clauses } of filters) filing.count(clauses);
    this.#always =
      filters.length > MAX_UNCOUNTED
        ? places.filter((place) => !filing.file(filters[place] as FilterTest, place))
        : places;
    this.#lookups = filing.lookups();
  }

  /** The places of the filters that hold, some maybe twice; `onFault` hears of those that fail. */
  find(reading: Reading, onFault: (place: number, error: unknown) => void): readonly number[] {
    const hits = new Hits(reading.turn);
    for (const lookup of this.#lookups) lookup.find(reading, hits);
    const held: number[] = [];
    const ask = (place: number) => {
      try {
        if (this.filters[place]?.holds(reading)) held.push(place);
      } catch (error) {
        onFault(place, error);
      }
    };
    for (const place of this.#always) ask(place);
    for (const place of hits.places) ask(place);
    return held;
  }
}

/** Files filters under their keys. */
class Filing {
  readonly #paths = new Map<EventPath, PathPostings>();
  readonly #postings = new Map<Predicate, readonly Posting[] | null>();

  /** Counts how many filters share a key, before any is filed. */
  count(clauses: readonly Clause[]): void {
    for (const { predicates, choice } of clauses) {
      for (const predicate of predicates) {
        for (const posting of this.#postingsOf(predicate) ?? []) posting.share();
      }
      if (choice !== undefined) this.count(choice);
    }
  }

  /** False: nothing says where it is found. */
  file({ clauses }: FilterTest, place: number): boolean {
    const access = this.#accessOf(clauses);
    for (const { places } of access?.postings ?? []) {
      if (places.at(-1) !== place) places.push(place);
    }
    return access !== undefined;
  }

  lookups(): readonly PathLookup[] {
    return [...this.#paths].flatMap(([path, postings]) => {
      postings.compact();
      return postings.size === 0 ? [] : [new PathLookup(path, postings)];
    });
  }

  /** One access for each clause, together: one of the clauses must hold. */
  #accessOf(clauses: readonly Clause[]): Access | undefined {
    const postings: Posting[] = [];
    let cost = 0;
    for (const clause of clauses) {
      const cheapest = this.#cheapest(clause);
      if (cheapest === undefined) return undefined;
      postings.push(...cheapest.postings);
      cost = Math.max(cost, cheapest.cost);
    }
    return { postings, cost };
  }

  #cheapest({ predicates, choice }: Clause): Access | undefined {
    let best = choice === undefined ? undefined : this.#accessOf(choice);
    for (const predicate of predicates) {
      const postings = this.#postingsOf(predicate);
      if (postings === null) continue;
      let cost = 0;
      for (const posting of postings) cost = Math.max(cost, posting.cost);
      if (best === undefined || cost < best.cost) best = { postings, cost };
    }
    return best;
  }

  #postingsOf(predicate: Predicate): readonly Posting[] | null {
    const known = this.#postings.get(predicate);
    if (known !== undefined) return known;
    const keys = predicate.keys();
    let filed = this.#paths.get(predicate.path);
    if (keys !== null && filed === undefined) {
      filed = new PathPostings();
      this.#paths.set(predicate.path, filed);
    }
    const postings = keys?.map((key) => (filed as PathPostings).of(key)) ?? null;
    this.#postings.set(predicate, postings);
    return postings;
  }
}
