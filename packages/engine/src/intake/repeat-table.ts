import { hash } from "node:crypto";

/**
 * What is remembered of an event that its sender or platform has named: 16 bytes, so that a million
 * of them fit into memory. Two events whose keys are equal by chance differ in `body`: the second
 * is routed as one whose id was used again, and nothing is lost.
 */
export interface RepeatMark {
  /** 64 bits of a hash over source and event id. */
  readonly high: number;
  readonly low: number;
  /** 32 bits of the body's hash. */
  readonly body: number;
  /** When it was published, in seconds since the epoch. */
  readonly at: number;
}

/**
 * `salt` tells apart the lives of a source: what was remembered under another is forgotten. `body`:
 * {@link bodyHash}.
 */
export function repeatMark(salt: string, id: string, body: string, nowMs: number): RepeatMark {
  const key = hash("sha256", `${salt}\0${id}`);
  return {
    high: word(key, 0),
    low: word(key, 8),
    body: word(body, 0),
    at: Math.floor(nowMs / 1_000),
  };
}

/** 32 hex digits. */
export function formatMark({ high, low, body, at }: RepeatMark): string {
  return [high, low, body, at].map((part) => part.toString(16).padStart(8, "0")).join("");
}

/** Null where it is none. */
export function parseMark(text: string): RepeatMark | null {
  if (!/^[0-9a-f]{32}$/.test(text)) return null;
  return { high: word(text, 0), low: word(text, 8), body: word(text, 16), at: word(text, 24) };
}

const word = (hex: string, at: number): number => Number.parseInt(hex.slice(at, at + 8), 16);

/** Ids that a process remembers at most (`docs/configuration.md`, Repeats). */
export const REPEATS_KEPT = 1_000_000;

const FIRST_CAPACITY = 1_024;
const WORDS = 4;

/**
 * Marks in the order in which they were added, found by their key: 16 bytes each in a ring, and 8
 * to 16 for an index by open addressing. When the ring is full, what is older than `forgotten` goes
 * first, then the ring grows up to `most` marks, then the oldest makes room.
 */
export class RepeatTable {
  readonly most: number;
  /** `high`, `low`, `body`, `at` of each place; `at` is 0 where the mark was taken out. */
  #ring: Uint32Array;
  /** Place + 1 of a mark, 0 where there is none. A power of two, at least twice the ring. */
  #slots: Uint32Array;
  #capacity: number;
  /** Marks ever added to this ring; those before `#first` are gone. */
  #next = 0;
  #first = 0;
  #size = 0;
  #pushedOut = 0;

  constructor(most = REPEATS_KEPT) {
    this.most = most;
    this.#capacity = Math.min(FIRST_CAPACITY, most);
    this.#ring = new Uint32Array(this.#capacity * WORDS);
    this.#slots = new Uint32Array(slotsFor(this.#capacity));
  }

  get size(): number {
    return this.#size;
  }

  /**
   * When the newest mark was published that had to make room before its time, in seconds since the
   * epoch; 0: none had to.
   */
  get pushedOutAt(): number {
    return this.#pushedOut;
  }

  /** The mark with that key. */
  find({ high, low }: Pick<RepeatMark, "high" | "low">): RepeatMark | null {
    const slot = this.#slotOf(high, low);
    if (slot === -1) return null;
    const at = ((this.#slots[slot] as number) - 1) * WORDS;
    const body = this.#ring[at + 2] as number;
    return { high, low, body, at: this.#ring[at + 3] as number };
  }

  /**
   * False where a mark with that key is in already: that one stays. `forgotten`: what is as old, in
   * seconds, may go.
   */
  add(mark: RepeatMark, forgotten: number): boolean {
    if (this.#slotOf(mark.high, mark.low) !== -1) return false;
    this.#makeRoom(forgotten);
    const place = this.#next % this.#capacity;
    this.#ring.set([mark.high, mark.low, mark.body, Math.max(1, mark.at)], place * WORDS);
    this.#insert(place);
    this.#next += 1;
    this.#size += 1;
    return true;
  }

  delete({ high, low }: Pick<RepeatMark, "high" | "low">): boolean {
    const slot = this.#slotOf(high, low);
    if (slot === -1) return false;
    const place = (this.#slots[slot] as number) - 1;
    this.#ring[place * WORDS + 3] = 0;
    this.#vacate(slot);
    this.#size -= 1;
    return true;
  }

  /** In the order in which they were added; as they are now, whatever comes meanwhile. */
  *marks(): Generator<RepeatMark, undefined> {
    const [ring, capacity, first, next] = [
      this.#ring.slice(),
      this.#capacity,
      this.#first,
      this.#next,
    ];
    for (let index = first; index < next; index += 1) {
      const from = (index % capacity) * WORDS;
      const [high = 0, low = 0, body = 0, at = 0] = ring.subarray(from, from + WORDS);
      if (at !== 0) yield { high, low, body, at };
    }
  }

  #makeRoom(forgotten: number): void {
    if (this.#next - this.#first < this.#capacity) return;
    while (this.#first < this.#next && this.#atOf(this.#first) <= forgotten) this.#dropFirst();
    if (this.#next - this.#first < this.#capacity) return;
    if (this.#capacity < this.most) {
      this.#grow();
      return;
    }
    this.#pushedOut = Math.max(this.#pushedOut, this.#atOf(this.#first));
    this.#dropFirst();
  }

  #atOf(index: number): number {
    return this.#ring[(index % this.#capacity) * WORDS + 3] as number;
  }

  #dropFirst(): void {
    const at = (this.#first % this.#capacity) * WORDS;
    if (this.#ring[at + 3] !== 0) {
      this.#vacate(this.#slotOf(this.#ring[at] as number, this.#ring[at + 1] as number));
      this.#size -= 1;
    }
    this.#first += 1;
  }

  #grow(): void {
    const [ring, capacity, first, next] = [this.#ring, this.#capacity, this.#first, this.#next];
    this.#capacity = Math.min(capacity * 2, this.most);
    this.#ring = new Uint32Array(this.#capacity * WORDS);
    this.#slots = new Uint32Array(slotsFor(this.#capacity));
    this.#first = 0;
    this.#next = 0;
    for (let index = first; index < next; index += 1) {
      const at = (index % capacity) * WORDS;
      if (ring[at + 3] === 0) continue;
      this.#ring.set(ring.subarray(at, at + WORDS), this.#next * WORDS);
      this.#insert(this.#next);
      this.#next += 1;
    }
  }

  #slotOf(high: number, low: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = low & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] as number;
      if (found === 0) return -1;
      const at = (found - 1) * WORDS;
      if (this.#ring[at + 1] === low && this.#ring[at] === high) return slot;
    }
  }

  #insert(place: number): void {
    const mask = this.#slots.length - 1;
    let slot = (this.#ring[place * WORDS + 1] as number) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = place + 1;
  }

  /**
   * Those behind it move up, as far as their key lets them: a search ends at the first empty slot.
   */
  #vacate(slot: number): void {
    const mask = this.#slots.length - 1;
    let empty = slot;
    for (let next = (slot + 1) & mask; this.#slots[next] !== 0; next = (next + 1) & mask) {
      const place = (this.#slots[next] as number) - 1;
      const home = (this.#ring[place * WORDS + 1] as number) & mask;
      if (((next - home) & mask) < ((next - empty) & mask)) continue;
      this.#slots[empty] = this.#slots[next] as number;
      empty = next;
    }
    this.#slots[empty] = 0;
  }
}

function slotsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}
