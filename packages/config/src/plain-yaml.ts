/** Nesting beyond this is left to the other reader, which has a limit of its own. */
const MAX_DEPTH = 48;
/** Characters that mean the same to every YAML reader: printable ASCII, line feeds and common letters. */
const UNUSUAL = /[^\n\x20-\x7e\u00a1-\u02ff]/;
/** Which characters may stand where. Tables: expressions that yield matches are slower, and this is hot. */
const KEY_START = characters("_$");
const KEY_PART = characters("_$./-", true);
const FLOW_START = characters("_$./", true);
const FLOW_PART = characters("_$./@+*=;()<>~^ -", true);
const INTEGER = /^(0|-?[1-9]\d{0,14})$/;
/** What can only be text: it begins as no number does. `5m`, `100/s` and `./a` do, `0x1F`, `1e3` and `.5` do not. */
const TEXT = /^([A-Za-z_$/]|\.{1,2}\/|\d+[mshd/])/;
/** Words with a meaning of their own, in YAML 1.1 or 1.2, whatever their case. */
const WORD = /^(true|false|null|yes|no|on|off|y|n)$/i;
const FORBIDDEN = new Set(["__proto__", "constructor", "prototype"]);

/** This text is not plain. */
const NO = Symbol("not plain");
type Read = unknown;

const SPACE = 32;
const NEWLINE = 10;
const HASH = 35;
const COLON = 58;
const DASH = 45;

/** Letters, `others` and, where wanted, digits; by their codes. */
function characters(others: string, digits = false): Uint8Array {
  const table = new Uint8Array(128);
  for (let code = 0; code < 128; code++) {
    const character = String.fromCharCode(code);
    const allowed = digits ? /[A-Za-z0-9]/ : /[A-Za-z]/;
    if (allowed.test(character) || others.includes(character)) table[code] = 1;
  }
  return table;
}

const isWord = (text: string) => text.length <= 5 && WORD.test(text);

/** The value of an unquoted scalar; `NO` where readers could differ on it. */
function scalar(text: string): Read {
  if (TEXT.test(text)) {
    if (!isWord(text)) return text;
    if (text === "true") return true;
    return text === "false" ? false : text === "null" ? null : NO;
  }
  return INTEGER.test(text) ? Number(text) : NO;
}

/** `mapping`, into which `keys` entries were put; `NO` where a key stands twice. */
const unique = (mapping: Record<string, unknown>, keys: number): Read =>
  Object.keys(mapping).length === keys ? mapping : NO;

/**
 * The mapping in `text` where that is written in plain YAML: block mappings and lists, scalars on one line, flow collections on one
 * line, comments; no anchors, tags, escapes, block scalars or several documents. Undefined for all else, also for what is wrong:
 * {@link readYaml} decides then. It is several times as fast, and large projects are written so.
 */
export function readPlainYaml(text: string): Record<string, unknown> | undefined {
  if (UNUSUAL.test(text)) return undefined;
  const end = text.length;
  /** Of the line being read: where its content begins, and how far it is indented; -1 at the end. */
  let at = 0;
  let indent = 0;
  /** Goes to the next line with content that begins at or after `from`, a line's start. */
  const toContent = (from: number): void => {
    let start = from;
    while (start < end) {
      let here = start;
      while (text.charCodeAt(here) === SPACE) here++;
      const code = text.charCodeAt(here);
      if (here < end && code !== NEWLINE && code !== HASH) {
        at = here;
        indent = here - start;
        return;
      }
      const next = code === NEWLINE ? here : text.indexOf("\n", here);
      if (next === -1) break;
      start = next + 1;
    }
    at = end;
    indent = -1;
  };

  /** Goes to the next line from `from`, after which a line has nothing but a comment; false where it has more. */
  const endLine = (from: number): boolean => {
    let here = from;
    while (text.charCodeAt(here) === SPACE) here++;
    if (here < end && text.charCodeAt(here) !== NEWLINE) {
      if (text.charCodeAt(here) !== HASH || here === from) return false;
      here = text.indexOf("\n", here);
      if (here === -1) here = end;
    }
    toContent(here + 1);
    return true;
  };

  const isItem = () =>
    text.charCodeAt(at) === DASH && text.charCodeAt(at + 1) === SPACE && indent >= 0;

  /** The key that begins at `at`; `at` is after its colon then. */
  const key = (): string | undefined => {
    if (KEY_START[text.charCodeAt(at)] !== 1) return undefined;
    let colon = at + 1;
    while (KEY_PART[text.charCodeAt(colon)] === 1) colon++;
    const after = text.charCodeAt(colon + 1);
    if (text.charCodeAt(colon) !== COLON) return undefined;
    if (colon + 1 < end && after !== SPACE && after !== NEWLINE) return undefined;
    const found = text.slice(at, colon);
    at = colon + 1;
    return isWord(found) || FORBIDDEN.has(found) ? undefined : found;
  };

  const skipSpaces = () => {
    while (text.charCodeAt(at) === SPACE) at++;
  };

  const quoted = (quote: string): Read => {
    const close = text.indexOf(quote, at + 1);
    if (close === -1) return NO;
    const inner = text.slice(at + 1, close);
    if (inner.includes("\n") || inner.includes("\\") || text[close + 1] === quote) return NO;
    at = close + 1;
    return inner;
  };

  /** A value inside `{}` or `[]`. */
  const flow = (depth: number): Read => {
    const first = text[at];
    if (depth > MAX_DEPTH) return NO;
    if (first === '"' || first === "'") return quoted(first);
    if (first === "{") return flowMapping(depth);
    if (first === "[") return flowList(depth);
    if (FLOW_START[text.charCodeAt(at)] !== 1) return NO;
    const start = at;
    while (FLOW_PART[text.charCodeAt(at)] === 1) at++;
    return scalar(text.slice(start, at).trimEnd());
  };

  /** After an entry: true where another one follows, false at `close`. */
  const more = (close: string): boolean | typeof NO => {
    skipSpaces();
    const found = text[at++];
    if (found === close) return false;
    if (found !== ",") return NO;
    skipSpaces();
    return true;
  };

  const flowMapping = (depth: number): Read => {
    const mapping: Record<string, unknown> = {};
    at++;
    skipSpaces();
    if (text[at] === "}") {
      at++;
      return mapping;
    }
    for (let entries = 1; ; entries++) {
      const name = key();
      if (name === undefined) return NO;
      skipSpaces();
      const value = flow(depth + 1);
      if (value === NO) return NO;
      mapping[name] = value;
      const another = more("}");
      if (another !== true) return another === NO ? NO : unique(mapping, entries);
    }
  };

  const flowList = (depth: number): Read => {
    const items: unknown[] = [];
    at++;
    skipSpaces();
    if (text[at] === "]") {
      at++;
      return items;
    }
    for (;;) {
      const value = flow(depth + 1);
      if (value === NO) return NO;
      items.push(value);
      const another = more("]");
      if (another !== true) return another === NO ? NO : items;
    }
  };

  /** A value on the rest of its line, from `at`; afterwards `at` is on the next line with content. */
  const inLine = (depth: number): Read => {
    const first = text[at];
    if (first === '"' || first === "'" || first === "{" || first === "[") {
      const value = flow(depth);
      return value !== NO && endLine(at) ? value : NO;
    }
    const newline = text.indexOf("\n", at);
    const line = text.slice(at, newline === -1 ? end : newline);
    const comment = line.indexOf(" #");
    const plain = (comment === -1 ? line : line.slice(0, comment)).trimEnd();
    if (plain.includes(": ") || plain.endsWith(":")) return NO;
    const value = scalar(plain);
    if (value !== NO) toContent(newline === -1 ? end : newline + 1);
    return value;
  };

  const list = (depth: number): Read => {
    const items: unknown[] = [];
    const column = indent;
    if (depth > MAX_DEPTH) return NO;
    while (indent === column && isItem()) {
      const dash = at;
      at += 2;
      skipSpaces();
      const start = at;
      const isMapping = key() !== undefined;
      at = start;
      if (isMapping) indent = column + (start - dash);
      const value = isMapping ? mapping(depth + 1) : inLine(depth + 1);
      if (value === NO) return NO;
      items.push(value);
    }
    return indent > column ? NO : items;
  };

  const mapping = (depth: number): Read => {
    const read: Record<string, unknown> = {};
    const column = indent;
    if (depth > MAX_DEPTH) return NO;
    let entries = 0;
    while (indent === column) {
      const name = key();
      if (name === undefined) return NO;
      entries++;
      const afterKey = at;
      skipSpaces();
      const code = text.charCodeAt(at);
      let value: Read;
      if (at < end && code !== NEWLINE && code !== HASH) value = inLine(depth + 1);
      else {
        if (!endLine(afterKey)) return NO;
        if (indent > column) value = isItem() ? list(depth + 1) : mapping(depth + 1);
        else value = indent === column && isItem() ? list(depth + 1) : null;
      }
      if (value === NO) return NO;
      read[name] = value;
    }
    return indent > column ? NO : unique(read, entries);
  };

  toContent(0);
  if (indent !== 0) return undefined;
  const value = mapping(0);
  return value === NO || at < end ? undefined : (value as Record<string, unknown>);
}
