import type { FilterTest } from "./compiled-filter.ts";
import type { Reading } from "./event-path.ts";
import { Filing } from "./filing.ts";
import type { PathLookup } from "./path-lookup.ts";
import { Hits } from "./posting.ts";

/** So few are asked one by one sooner than they are looked up. */
const MAX_UNCOUNTED = 4;

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
    const filing = new Filing(filters.length > MAX_UNCOUNTED ? filters : []);
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
    const { sure: held, asked } = hits;
    this.#ask(this.#always, reading, held, onFault);
    this.#ask(asked, reading, held, onFault);
    return held;
  }

  #ask(
    places: readonly number[],
    reading: Reading,
    held: number[],
    onFault: (place: number, error: unknown) => void,
  ): void {
    for (const place of places) {
      try {
        if (this.filters[place]?.holds(reading)) held.push(place);
      } catch (error) {
        onFault(place, error);
      }
    }
  }
}
