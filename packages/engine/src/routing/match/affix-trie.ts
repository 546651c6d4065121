import type { Hits, Posting } from "./posting.ts";

/** Where words go on alike; `label`: the characters from the node above to here. */
interface Node {
  readonly label: string;
  /** Of the word that ends here. */
  readonly posting: Posting | undefined;
  /** By their labels' first character. */
  readonly next: ReadonlyMap<number, Node>;
}

/** Words by how values begin; of a trie from the end, by how they end: all in reverse. */
export class AffixTrie {
  readonly #root: Node;
  readonly #fromEnd: boolean;

  constructor(postings: ReadonlyMap<string, Posting>, from: "start" | "end") {
    this.#fromEnd = from === "end";
    const words = Array.from(postings, ([word, posting]) => ({
      word: this.#fromEnd ? reversed(word) : word,
      posting,
    }));
    words.sort((one, other) => (one.word < other.word ? -1 : 1));
    this.#root = nodeOf(words, 0, words.length, [0, 0]);
  }

  /** Hits what each word is posted for with which `value` begins (or ends), from `start` on. */
  find(value: string, hits: Hits, start = 0): void {
    let node: Node | undefined = this.#root;
    let at = start;
    for (;;) {
      if (node.posting !== undefined) hits.add(node.posting);
      if (at >= value.length) return;
      node = node.next.get(this.#codeAt(value, at));
      if (node === undefined) return;
      const { label } = node;
      if (label.length > value.length - at) return;
      for (let i = 1; i < label.length; i += 1) {
        if (label.charCodeAt(i) !== this.#codeAt(value, at + i)) return;
      }
      at += label.length;
    }
  }

  /** As {@link find}, of the words that stand anywhere in `value`. */
  findWithin(value: string, hits: Hits): void {
    for (let start = 0; start < value.length; start += 1) this.find(value, hits, start);
  }

  #codeAt(value: string, at: number): number {
    return value.charCodeAt(this.#fromEnd ? value.length - 1 - at : at);
  }
}

interface Word {
  readonly word: string;
  readonly posting: Posting;
}

/** Of the words from one place to another, in order: `end` characters of them are the same. */
function nodeOf(
  words: readonly Word[],
  from: number,
  to: number,
  [start, end]: readonly [start: number, end: number],
): Node {
  const first = words[from];
  const endsHere = first?.word.length === end;
  const next = new Map<number, Node>();
  let at = endsHere ? from + 1 : from;
  while (at < to) {
    const { word } = words[at] as Word;
    const code = word.charCodeAt(end);
    let behind = at + 1;
    while (behind < to && words[behind]?.word.charCodeAt(end) === code) behind += 1;
    const shared = sharedBy(word, (words[behind - 1] as Word).word);
    next.set(code, nodeOf(words, at, behind, [end, shared]));
    at = behind;
  }
  const label = first?.word.slice(start, end) ?? "";
  return { label, posting: endsHere ? first.posting : undefined, next };
}

/** How many characters two words begin with alike. */
function sharedBy(one: string, other: string): number {
  let end = 0;
  while (end < one.length && one.charCodeAt(end) === other.charCodeAt(end)) end += 1;
  return end;
}

function reversed(text: string): string {
  let result = "";
  for (let at = text.length - 1; at >= 0; at -= 1) result += text[at];
  return result;
}
