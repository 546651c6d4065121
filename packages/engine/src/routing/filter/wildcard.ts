/** One piece of a compiled wildcard: text to find, or `*`. */
type Piece = string | null;

function pieces(pattern: string): Piece[] {
  const result: Piece[] = [];
  let text = "";
  for (let i = 0; i < pattern.length; i += 1) {
    const char = pattern[i] as string;
    if (char === "\\" && (pattern[i + 1] === "*" || pattern[i + 1] === "\\")) {
      i += 1;
      text += pattern[i];
    } else if (char === "*") {
      if (text !== "") result.push(text);
      result.push(null);
      text = "";
    } else {
      text += char;
    }
  }
  if (text !== "") result.push(text);
  return result;
}

/**
 * EventBridge's `wildcard`: `*` stands for any characters, `\*` and `\\` for themselves. Each text
 * between stars is looked for once, leftmost first, so the time is bounded by the lengths' product,
 * never exponential.
 */
export function compileWildcard(pattern: string): (value: string) => boolean {
  const parts = pieces(pattern);
  if (parts.length === 0) return (value) => value === "";
  const head = parts[0] === null ? "" : (parts[0] as string);
  if (parts.length === 1 && parts[0] !== null) return (value) => value === head;
  const last = parts[parts.length - 1];
  const tail = last === null || last === undefined ? "" : last;
  const middle = parts
    .slice(head === "" ? 0 : 1, tail === "" ? undefined : -1)
    .filter((part): part is string => part !== null);
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
