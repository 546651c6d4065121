const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

/** Characters of which each has one other case at most. */
const PLAIN = /^[ -~]*$/;

/** A character in its own, lower and upper case; upper `ß` is two characters. */
function formsOf(char: string): readonly string[] {
  return [...new Set([char, char.toLowerCase(), char.toUpperCase()])];
}

/**
 * Whether a text is `text`, begins or ends with it, each character in lower, upper or its own case:
 * event-ruler's reading of `equals-ignore-case`, which looks at the characters of the filter one by
 * one.
 */
export function caseBlind(
  text: string,
  where: "whole" | "prefix" | "suffix",
): (value: string) => boolean {
  if (where === "whole" && PLAIN.test(text)) {
    const lower = text.toLowerCase();
    // The Kelvin sign is no form of `k`, though `k` is one of it.
    return (value) => value.toLowerCase() === lower && PLAIN.test(value);
  }
  const chars = Array.from(text, formsOf);
  const source = chars
    .map((forms) => `(?:${forms.map((form) => form.replace(SYNTAX, "\\$&")).join("|")})`)
    .join("");
  if (where !== "suffix") {
    const pattern = new RegExp(`^${source}${where === "whole" ? "$" : ""}`, "u");
    return (value) => pattern.test(value);
  }
  const pattern = new RegExp(`${source}$`, "u");
  let longest = 0;
  for (const forms of chars) longest += Math.max(...forms.map(({ length }) => length));
  // No more of a long text than the end can take: an expression without a beginning tries each
  // place.
  return (value) => pattern.test(longest === 0 ? "" : value.slice(-longest));
}

/** A wildcard, taken apart at its stars. */
interface WildcardPieces {
  /** Before the first star. */
  readonly head: string;
  /** Between two stars each, none empty. */
  readonly middle: readonly string[];
  /** Behind the last star; null: there is no star. */
  readonly tail: string | null;
}

/** `\*` and `\\` stand for themselves. */
export function wildcardPieces(pattern: string): WildcardPieces {
  const texts = [""];
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] as string;
    const next = pattern[i + 1];
    if (char === "*") {
      texts.push("");
      continue;
    }
    const isEscape = char === "\\" && (next === "*" || next === "\\");
    if (isEscape) i += 1;
    texts[texts.length - 1] += isEscape ? next : char;
  }
  const [head = "", ...rest] = texts;
  const tail = rest.pop() ?? null;
  return { head, middle: rest.filter((text) => text !== ""), tail };
}

/**
 * EventBridge's `wildcard`: `*` stands for any characters. Each text between stars is looked for
 * once, leftmost first, so the time is bounded by the lengths' product, never exponential.
 */
export function compileWildcard(pattern: string): (value: string) => boolean {
  const { head, middle, tail } = wildcardPieces(pattern);
  if (tail === null) return (value) => value === head;
  return (value) => {
    if (value.length < head.length + tail.length) return false;
    if (!value.startsWith(head) || !value.endsWith(tail)) return false;
    let at = head.length;
    const end = value.length - tail.length;
    for (const text of middle) {
      const found = value.indexOf(text, at);
      if (found < 0 || found + text.length > end) return false;
      at = found + text.length;
    }
    return true;
  };
}
