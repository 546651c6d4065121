import type { Place } from "@orgloop/files";
import { type DeadLetterSummary, type PlacedLetter, summaryOf } from "@orgloop/sdk";

/** What memory holds of a letter: at most about a kilobyte. */
interface Entry {
  readonly listed: PlacedLetter;
  place: Place;
}

/** The letters of a file without their events, and where each stands. */
export class DeadLetterIndex {
  /** By id, in the order in which they were first put. */
  readonly #letters = new Map<string, Entry>();
  /** Names that many letters share, once. */
  readonly #names = new Map<string, string>();
  #position = 0;
  #bytes = 0;

  /** Bytes of what a rewrite keeps. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#letters.size;
  }

  has(id: string): boolean {
    return this.#letters.has(id);
  }

  place(id: string): Place | undefined {
    return this.#letters.get(id)?.place;
  }

  *after(position: number): Generator<PlacedLetter> {
    for (const { listed } of this.#letters.values()) if (listed.position > position) yield listed;
  }

  /** A newer letter keeps the older one's place in the order. */
  put(letter: DeadLetterSummary, place: Place): void {
    const { id } = letter;
    const before = this.#letters.get(id);
    if (before === undefined) this.#position += 1;
    const position = before?.listed.position ?? this.#position;
    const listed: PlacedLetter = {
      ...summaryOf(letter),
      route: this.#shared(letter.route),
      actor: this.#shared(letter.actor),
      reason: this.#shared(letter.reason),
      position,
    };
    this.#bytes += place.length - (before?.place.length ?? 0);
    this.#letters.set(id, { listed, place });
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#bytes -= this.#letters.get(id)?.place.length ?? 0;
      this.#letters.delete(id);
    }
  }

  /** What a rewrite keeps, in its order. */
  kept(): readonly Place[] {
    return Array.from(this.#letters.values(), ({ place }) => place);
  }

  /** After a rewrite: the places of what it kept. */
  moved(places: readonly Place[]): void {
    let at = 0;
    for (const entry of this.#letters.values()) {
      entry.place = places[at] as Place;
      at += 1;
    }
    this.#bytes = places.reduce((sum, { length }) => sum + length, 0);
  }

  #shared<Name extends string | null>(name: Name): Name {
    if (name === null) return name;
    const known = this.#names.get(name);
    if (known === undefined) this.#names.set(name, name);
    return (known as Name | undefined) ?? name;
  }
}
