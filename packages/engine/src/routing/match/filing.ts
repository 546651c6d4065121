import type { Clause, FilterTest } from "./compiled-filter.ts";
import type { EventPath } from "./event-path.ts";
import type { Key } from "./keys.ts";
import { PathLookup, PathPostings } from "./path-lookup.ts";
import type { Posting } from "./posting.ts";
import type { Predicate } from "./predicate.ts";

/** What a filter found by a key of a kind costs, beside one found by an equal value. */
const COST: Readonly<Record<Key["kind"], number>> = {
  ...{ value: 1, folded: 1.1, prefix: 2, suffix: 2, range: 3, contains: 4 },
};

/** Of a long list, as many say how much it shares with others. */
const SAMPLE = 8;

/** The predicates under whose keys a clause is found: one, or one of each branch of its choice. */
interface Access {
  readonly predicates: readonly Predicate[];
  /** How many filters are found with it, about. */
  readonly cost: number;
  /** Whether the clause holds wherever a key that decides is met. */
  readonly alone: boolean;
}

/** Files filters under their keys, while an index is made. */
export class Filing {
  readonly #paths = new Map<EventPath, PathPostings>();
  readonly #costs = new Map<Predicate, number>();

  /** Of all that may be filed: how many share each key decides under which one is filed. */
  constructor(filters: readonly FilterTest[]) {
    const uses = new Map<Predicate, number>();
    const count = (clauses: readonly Clause[]) => {
      for (const { predicates, choice } of clauses) {
        for (const one of predicates) uses.set(one, (uses.get(one) ?? 0) + 1);
        if (choice !== undefined) count(choice);
      }
    };
    for (const { clauses } of filters) count(clauses);
    for (const [predicate, times] of uses) {
      for (const keys of keysOf(predicate, SAMPLE) ?? []) {
        for (const key of keys) this.#posting(predicate.path, key).shared += times;
      }
    }
    for (const predicate of uses.keys()) this.#costs.set(predicate, this.#costOf(predicate));
  }

  /** False: nothing says where it is found. */
  file({ clauses }: FilterTest, place: number): boolean {
    const access = this.#accessOf(clauses);
    for (const predicate of access?.predicates ?? []) {
      for (const keys of keysOf(predicate) ?? []) {
        const key = this.#rarest(predicate.path, keys);
        const isSure = access?.alone === true && key.decides;
        this.#posting(predicate.path, key).add(place, isSure);
      }
    }
    return access !== undefined;
  }

  lookups(): readonly PathLookup[] {
    return [...this.#paths].flatMap(([path, postings]) => {
      postings.leaveOutEmpty();
      return postings.size === 0 ? [] : [new PathLookup(path, postings)];
    });
  }

  /** An access for each clause: one of them must hold. */
  #accessOf(clauses: readonly Clause[]): Access | undefined {
    const accesses: Access[] = [];
    for (const clause of clauses) {
      const access = this.#cheapest(clause);
      if (access === undefined) return undefined;
      accesses.push(access);
    }
    const [only] = accesses;
    if (accesses.length === 1) return only;
    return {
      predicates: accesses.flatMap(({ predicates }) => predicates),
      cost: Math.max(...accesses.map(({ cost }) => cost)),
      alone: accesses.every(({ alone }) => alone),
    };
  }

  #cheapest({ predicates, choice }: Clause): Access | undefined {
    let best = choice === undefined ? undefined : this.#accessOf(choice);
    if (best !== undefined && predicates.length > 0) best = { ...best, alone: false };
    for (const predicate of predicates) {
      const cost = this.#costs.get(predicate) ?? Number.POSITIVE_INFINITY;
      if (cost >= (best?.cost ?? Number.POSITIVE_INFINITY)) continue;
      const alone = predicates.length === 1 && choice === undefined;
      best = { predicates: [predicate], cost, alone };
    }
    return best;
  }

  /** Infinite, where it has an alternative without a key. */
  #costOf(predicate: Predicate): number {
    const sample = keysOf(predicate, SAMPLE);
    if (sample === null) return Number.POSITIVE_INFINITY;
    let most = 0;
    for (const keys of sample) {
      const key = this.#rarest(predicate.path, keys);
      most = Math.max(most, this.#posting(predicate.path, key).shared * COST[key.kind]);
    }
    return most * Math.max(1, predicate.size / SAMPLE);
  }

  /** Of the keys that a leaf has all of, the one that finds the fewest. */
  #rarest(path: EventPath, keys: readonly Key[]): Key {
    const [first, ...others] = keys;
    let rarest = first as Key;
    if (others.length === 0) return rarest;
    const costOf = (key: Key) => this.#posting(path, key).shared * COST[key.kind];
    for (const key of others) if (costOf(key) < costOf(rarest)) rarest = key;
    return rarest;
  }

  #posting(path: EventPath, key: Key): Posting {
    let postings = this.#paths.get(path);
    if (postings === undefined) {
      postings = new PathPostings();
      this.#paths.set(path, postings);
    }
    return postings.of(key);
  }
}

/** Of what may hold where nothing is, no key says where. */
function keysOf(predicate: Predicate, limit?: number): readonly (readonly Key[])[] | null {
  return predicate.orAbsent ? null : predicate.keys(limit);
}
