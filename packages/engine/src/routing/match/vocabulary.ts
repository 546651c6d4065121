import { EventPath } from "./event-path.ts";
import { Predicate } from "./predicate.ts";

/**
 * The paths and predicates of many filters, each once: routes share most of theirs (A-Tree's idea),
 * and what is shared is decided once an event.
 */
export class Vocabulary {
  readonly #paths = new Map<string, EventPath>();
  readonly #predicates = new Map<string, Predicate>();

  /** Of an entry of a filter that is sound. */
  predicate(key: string, value: unknown): Predicate {
    const name = `${key}\0${textOf(value)}`;
    let predicate = this.#predicates.get(name);
    if (predicate === undefined) {
      predicate = new Predicate(this.#path(key), value);
      this.#predicates.set(name, predicate);
    }
    return predicate;
  }

  #path(key: string): EventPath {
    let path = this.#paths.get(key);
    if (path === undefined) {
      path = new EventPath(key);
      this.#paths.set(key, path);
    }
    return path;
  }
}

/** Different values as different texts: JSON writes `null` for a number that is not finite. */
function textOf(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes("null")) return text;
  return JSON.stringify(value, (_, item) =>
    typeof item === "number" && !Number.isFinite(item) ? `\0${item}` : item,
  );
}
