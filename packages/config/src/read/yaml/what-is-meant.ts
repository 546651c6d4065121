/** What a text that is not valid YAML most likely was to say, and where that stands. */
export interface Meaning {
  readonly code: string;
  readonly message: string;
  readonly offset: number;
}

/** A placeholder outside of quotes where a value begins. */
const BARE_TEMPLATE = /(?:^|[:,[-])[ \t]*(\{\{[^{}\n]*\}\})[^\n]*/;
/** Characters that no plain text begins with. */
const RESERVED = /^[@`%*&!|>]/;

/**
 * Tells what is meant by the text at `offset`, of which a parser said `reason`; null where nobody
 * can say more than the parser.
 */
export function whatIsMeant(text: string, offset: number, reason: string): Meaning | null {
  const template = bareTemplate(text, offset, reason);
  if (template !== null) return template;
  const saying = (message: string) => ({ code: "yaml", message, offset });
  const rest = text.slice(offset, offset + 80).split("\n")[0] ?? "";
  const line = text.slice(text.lastIndexOf("\n", offset - 1) + 1, offset);
  const [first = ""] = rest;
  if (/^ *\t\s*$/.test(line))
    return { ...saying("tabs cannot indent YAML: use spaces"), code: "tab" };
  if (/^\s*[\w-]+:\s+$/.test(line) || /^unidentified alias/.test(reason)) {
    if (/^- /.test(rest)) return saying("a list begins on a line of its own, below its key");
    if (RESERVED.test(rest)) return saying(`a text that begins with ${first} has to be in quotes`);
  }
  if (/^unidentified alias/.test(reason)) {
    return saying("a text that begins with * has to be in quotes");
  }
  if (/^: ?/.test(rest) && /^\s*[\w.-]+:\s*\S/.test(line)) {
    return saying('a text that holds ": " or ends in ":" has to be in quotes');
  }
  const before = text.slice(0, offset).split("\n").slice(-2).join("\n");
  if (/end of the stream/.test(reason) && /^\s*[\w-]+:[^\s/][^\n]*$/m.test(before)) {
    return saying("a space has to follow the colon of the key above");
  }
  if (/deficient indentation|unexpected end/.test(reason)) {
    const quote = /[:-]\s+(["'])(?:(?!\1)[^\n])*\n?$/.exec(before)?.[1];
    if (quote !== undefined) return saying(`the quote ${quote} of the line above is not closed`);
    const bracket = /[:-]\s+([[{])[^\]}\n]*\n?$/.exec(before)?.[1];
    if (bracket !== undefined) {
      return saying(
        `the ${bracket} of the line above is not closed by ${bracket === "[" ? "]" : "}"}`,
      );
    }
  }
  return null;
}

/** The placeholder of the line at `offset`, or where the parser does not say which, the first. */
function bareTemplate(text: string, offset: number, reason: string): Meaning | null {
  if (!text.includes("{{")) return null;
  const nowhere = reason.startsWith("key: ");
  let at = 0;
  for (const line of text.split("\n")) {
    const here = nowhere || (at <= offset && offset <= at + line.length);
    const found = here && !/^\s*#/.test(line) ? BARE_TEMPLATE.exec(line) : null;
    const template = found?.[1];
    if (found && template !== undefined) {
      const column = found.index + found[0].indexOf(template);
      const message = `{{ … }} has to be in quotes: "${template}"`;
      return { code: "unquoted-template", message, offset: at + column };
    }
    at += line.length + 1;
  }
  return null;
}
