import {
  type Filter,
  hasCode,
  messageOf,
  OrgLoopError,
  type OrgLoopEvent,
  type RouteSpec,
} from "@orgloop/sdk";
import type { FilterTest } from "./compiled-filter.ts";
import { Reading } from "./event-path.ts";
import { FilterIndex } from "./filter-index.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Which routes take an event. */
export interface Matcher {
  /**
   * Every route whose source, type and filter fit, in the order of the configuration. A route whose
   * filter fails is left out, and told to `onFault`.
   */
  match(event: OrgLoopEvent, onFault?: OnFault): readonly RouteSpec[];
}

export type OnFault = (route: RouteSpec, error: unknown) => void;

/** The routes of one source, or of all in a list of many, that take the same types. */
interface Bucket {
  readonly types: readonly string[];
  readonly index: FilterIndex;
  /** The route of each of the index's filters, as its place in the configuration. */
  readonly positions: readonly number[];
}

/** A route that names more sources is filed once, with those that have the same list. */
const MANY_SOURCES = 16;

const NONE: readonly RouteSpec[] = [];

class RouteIndex implements Matcher {
  readonly #routes: readonly RouteSpec[];
  readonly vocabulary: Vocabulary;
  /** By what names it. */
  readonly buckets = new Map<string, Bucket>();
  readonly #bySource = new Map<string, Bucket[]>();

  constructor(routes: readonly RouteSpec[], options: MatcherOptions) {
    const earlier = options.earlier instanceof RouteIndex ? options.earlier : undefined;
    this.#routes = routes;
    this.vocabulary = new Vocabulary(earlier?.vocabulary);
    // Of the many sources with one route each, most routes have the same filter: none.
    const ofOne = new Map<FilterTest, FilterIndex>();
    for (const [name, { sources, types, positions, filters }] of this.#group(options)) {
      const before = earlier?.buckets.get(name)?.index;
      const [first] = filters;
      const only = filters.length === 1 ? first : undefined;
      const known = isOver(before, filters) ? before : only && ofOne.get(only);
      const index = known ?? new FilterIndex(filters);
      if (only !== undefined) ofOne.set(only, index);
      const bucket = { types, index, positions };
      this.buckets.set(name, bucket);
      for (const source of new Set(sources)) {
        const buckets = this.#bySource.get(source);
        if (buckets === undefined) this.#bySource.set(source, [bucket]);
        else buckets.push(bucket);
      }
    }
    this.vocabulary.complete();
  }

  /** A function of its own: callers take it off the matcher. */
  readonly match = (event: OrgLoopEvent, onFault?: OnFault): readonly RouteSpec[] => {
    const buckets = this.#bySource.get(event.source);
    if (buckets === undefined) return NONE;
    const reading = new Reading(event);
    const found: number[] = [];
    const faults: [position: number, error: unknown][] = [];
    for (const { types, index, positions } of buckets) {
      if (!types.includes(event.type)) continue;
      const places = index.find(reading, (place, error) => {
        faults.push([positions[place] as number, error]);
      });
      for (const place of places) found.push(positions[place] as number);
    }
    for (const [position, error] of faults) onFault?.(this.#routes[position] as RouteSpec, error);
    return inOrder(found).map((position) => this.#routes[position] as RouteSpec);
  };

  #group(options: MatcherOptions): ReadonlyMap<string, Group> {
    const groups = new Map<string, Group>();
    const lists = new Map<readonly string[], string>();
    for (const [position, { name, when }] of this.#routes.entries()) {
      const filter = this.#filterOf(name, when.filter, options);
      const types = when.events.join();
      if (when.source.length > MANY_SOURCES) {
        const names = lists.get(when.source) ?? when.source.join("\n");
        lists.set(when.source, names);
        groupIn(groups, `${types}\n${names}`, when.source, when.events).add(position, filter);
        continue;
      }
      for (const source of new Set(when.source)) {
        groupIn(groups, `${types}\n${source}`, [source], when.events).add(position, filter);
      }
    }
    return groups;
  }

  #filterOf(
    name: string,
    filter: Filter = {},
    { faults, tolerant = false }: MatcherOptions,
  ): FilterTest {
    const fault = faults?.get(name);
    if (fault !== undefined) return failingFilter(fault);
    try {
      return this.vocabulary.filter(filter);
    } catch (cause) {
      if (!hasCode(cause, "INVALID_FILTER") && !hasCode(cause, "INVALID_PATH")) throw cause;
      const message = `route "${name}": when.filter.${messageOf(cause)}`;
      const error = new OrgLoopError("INVALID_FILTER", message, { cause });
      if (tolerant) return failingFilter(error);
      throw error;
    }
  }
}

/** What stands for a filter that cannot be asked. */
function failingFilter(fault: Error): FilterTest {
  const holds = () => {
    throw fault;
  };
  return { clauses: [{ predicates: [], jointly: undefined, choice: undefined }], holds };
}

function isOver(
  index: FilterIndex | undefined,
  filters: readonly FilterTest[],
): index is FilterIndex {
  if (index?.filters.length !== filters.length) return false;
  return filters.every((filter, at) => filter === index.filters[at]);
}

class Group {
  readonly positions: number[] = [];
  readonly filters: FilterTest[] = [];
  readonly sources: readonly string[];
  readonly types: readonly string[];

  constructor(sources: readonly string[], types: readonly string[]) {
    this.sources = sources;
    this.types = types;
  }

  add(position: number, filter: FilterTest): void {
    this.positions.push(position);
    this.filters.push(filter);
  }
}

function groupIn(
  groups: Map<string, Group>,
  name: string,
  sources: readonly string[],
  types: readonly string[],
): Group {
  const group = groups.get(name) ?? new Group(sources, types);
  if (group.filters.length === 0) groups.set(name, group);
  return group;
}

/** Ascending, each once; mostly they are. */
function inOrder(positions: readonly number[]): readonly number[] {
  const isAscending = positions.every(
    (position, at) => at === 0 || (positions[at - 1] as number) < position,
  );
  return isAscending ? positions : [...new Set(Uint32Array.from(positions).sort())];
}

export interface MatcherOptions {
  /**
   * The matcher of the configuration before. What is about the same in both is taken from it: each
   * filter, and the index of each source of which no filter changed.
   */
  readonly earlier?: Matcher | undefined;
  /**
   * Why a route has no filter to ask, by its name: a fault of each event that its source and type
   * let through.
   */
  readonly faults?: ReadonlyMap<string, Error>;
  /** Whether a filter that is wrong is such a fault, too, and not thrown. Default: false. */
  readonly tolerant?: boolean;
}

/** Compiles the routes once. Throws `INVALID_FILTER`, naming the route. */
export function compileMatcher(
  routes: readonly RouteSpec[],
  options: MatcherOptions = {},
): Matcher {
  return new RouteIndex(routes, options);
}
