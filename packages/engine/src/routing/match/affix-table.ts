import type { Hits, Posting } from "./posting.ts";

/**
 * Texts by how values begin, or end: a trie that is kept as its words in order, each with the
 * longest other word that it begins with. A lookup is a binary search, then a walk along these.
 *
 * The words with which a value begins are all among the last word not after it and what that one
 * begins with: whatever lies between a word and a value that begins with it begins with it, too.
 */
export class AffixTable {
  readonly #words: readonly string[];
  readonly #postings: readonly Posting[];
  /** Of each word the place of the longest that it begins with; -1: of none. */
  readonly #shorter: Int32Array;
  readonly #codeAt: (text: string, at: number) => number;

  /** `from`: whether words are compared with how a value begins or with how it ends. */
  constructor(postings: ReadonlyMap<string, Posting>, from: "start" | "end") {
    this.#codeAt = from === "start" ? codeFromStart : codeFromEnd;
    const entries = [...postings].sort(([one], [other]) => this.#compare(one, other, 0));
    this.#words = entries.map(([word]) => word);
    this.#postings = entries.map(([, posting]) => posting);
    this.#shorter = new Int32Array(entries.length);
    const open: number[] = [];
    for (const [at, word] of this.#words.entries()) {
      while (open.length > 0 && !this.#begins(word, open.at(-1) as number, 0)) open.pop();
      this.#shorter[at] = open.at(-1) ?? -1;
      open.push(at);
    }
  }

  /** Hits what each word is posted for with which `value` begins (or ends), from `start` on. */
  find(value: string, hits: Hits, start = 0): void {
    let low = 0;
    let high = this.#words.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#words[middle] as string, value, start) <= 0) low = middle + 1;
      else high = middle;
    }
    for (let at = low - 1; at >= 0; at = this.#shorter[at] as number) {
      if (this.#begins(value, at, start)) hits.add(this.#postings[at] as Posting);
    }
  }

  /** As {@link find}, of the words that stand anywhere in `value`. */
  findWithin(value: string, hits: Hits): void {
    for (let start = 0; start < value.length; start += 1) this.find(value, hits, start);
  }

  #begins(value: string, at: number, start: number): boolean {
    const word = this.#words[at] as string;
    const { length } = word;
    if (length > value.length - start) return false;
    for (let i = 0; i < length; i += 1) {
      if (this.#codeAt(word, i) !== this.#codeAt(value, start + i)) return false;
    }
    return true;
  }

  #compare(word: string, value: string, start: number): number {
    const shared = Math.min(word.length, value.length - start);
    for (let i = 0; i < shared; i += 1) {
      const difference = this.#codeAt(word, i) - this.#codeAt(value, start + i);
      if (difference !== 0) return difference;
    }
    return word.length - (value.length - start);
  }
}

const codeFromStart = (text: string, at: number) => text.charCodeAt(at);
const codeFromEnd = (text: string, at: number) => text.charCodeAt(text.length - 1 - at);
