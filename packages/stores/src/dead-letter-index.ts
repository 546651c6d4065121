import type { Place } from "@orgloop/files";

/** Where the letters of a file stand: what is held in memory instead of the letters. */
export class DeadLetterIndex {
  /** By id, in the order in which they were first put. */
  #letters = new Map<string, Place>();
  /** Lines that are no dead letters: nobody's to delete. */
  #damaged: Place[] = [];
  #bytes = 0;

  /** Bytes of what a rewrite keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  get damaged(): number {
    return this.#damaged.length;
  }

  has(id: string): boolean {
    return this.#letters.has(id);
  }

  places(): Iterable<Place> {
    return this.#letters.values();
  }

  /** Takes a line in as it stands in the file. */
  load(line: string, place: Place): void {
    const value = parse(line);
    if (value === undefined) {
      this.#damaged.push(place);
      this.#bytes += place.length;
    } else if (typeof value === "string") this.put(value, place);
    else this.remove(value);
  }

  /** A newer letter keeps the older one's place in the order. */
  put(id: string, place: Place): void {
    this.#bytes += place.length - (this.#letters.get(id)?.length ?? 0);
    this.#letters.set(id, place);
  }

  get size(): number {
    return this.#letters.size;
  }

  place(id: string): Place | undefined {
    return this.#letters.get(id);
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#bytes -= this.#letters.get(id)?.length ?? 0;
      this.#letters.delete(id);
    }
  }

  /** What a rewrite keeps, in its order. */
  kept(): readonly Place[] {
    return [...this.#damaged, ...this.#letters.values()];
  }

  /** After a rewrite: everything kept stands without gaps from the file's beginning. */
  closeGaps(kept: readonly Place[]): void {
    const moved = new Map<Place, Place>();
    let offset = 0;
    for (const place of kept) {
      moved.set(place, { offset, length: place.length });
      offset += place.length;
    }
    const after = (place: Place) => moved.get(place) ?? place;
    this.#letters = new Map([...this.#letters].map(([id, place]) => [id, after(place)]));
    this.#damaged = this.#damaged.map(after);
  }
}

/** The id of a letter, or the ids of a removal. */
function parse(line: string): string | readonly string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  if ("removed" in value && Array.isArray(value.removed)) return value.removed;
  return "id" in value && typeof value.id === "string" && "event" in value ? value.id : undefined;
}
