import type { Filter } from "@orgloop/sdk";
import { soundFilter } from "./check-filter.ts";
import { CompiledFilter } from "./compiled-filter.ts";
import { nameOf, takeApart } from "./conjunction.ts";
import { EventPath } from "./event-path.ts";
import { Predicate } from "./predicate.ts";

/**
 * Filters, and the predicates and paths that they consist of, each once: routes share most of
 * theirs (A-Tree's idea), and what is shared is decided once an event.
 */
export class Vocabulary {
  readonly filters = new Map<string, CompiledFilter>();
  readonly predicates = new Map<string, Predicate>();
  readonly paths = new Map<string, EventPath>();
  #earlier: Vocabulary | undefined;

  /** What stands in `earlier`, too, is taken from it, until the vocabulary is complete. */
  constructor(earlier?: Vocabulary) {
    this.#earlier = earlier;
  }

  /** Throws `INVALID_FILTER`, `INVALID_PATH`. */
  filter(written: Filter): CompiledFilter {
    const conjunction = takeApart(soundFilter(written), (path, value) =>
      this.predicate(path, value),
    );
    const name = nameOf(conjunction);
    let filter = this.filters.get(name);
    if (filter === undefined) {
      filter = this.#earlier?.filters.get(name) ?? new CompiledFilter(conjunction);
      this.filters.set(name, filter);
    }
    return filter;
  }

  /** Of an entry of a filter that is sound. */
  predicate(path: string, value: unknown): Predicate {
    const name = `${path}\0${textOf(value)}`;
    let predicate = this.predicates.get(name);
    if (predicate === undefined) {
      predicate = this.#earlier?.predicates.get(name) ?? new Predicate(this.#path(path), value);
      this.predicates.set(name, predicate);
      this.paths.set(path, predicate.path);
    }
    return predicate;
  }

  /** Lets go of the earlier one. */
  complete(): void {
    this.#earlier = undefined;
  }

  #path(text: string): EventPath {
    const path = this.paths.get(text) ?? this.#earlier?.paths.get(text) ?? new EventPath(text);
    this.paths.set(text, path);
    return path;
  }
}

/** Different values as different texts: JSON writes `null` for a number that is not finite. */
function textOf(value: unknown): string {
  if (typeof value === "string") return `"${value}`;
  const text = JSON.stringify(value);
  if (!text.includes("null")) return text;
  return JSON.stringify(value, (_, item) =>
    typeof item === "number" && !Number.isFinite(item) ? `\0${item}` : item,
  );
}
