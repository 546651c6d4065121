const SYNTAX = /[\\^$.*+?()[\]{}|/]/g;

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
