import { OrgLoopError } from "../errors.ts";

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * The bytes as text, without a byte order mark. Throws a `SyntaxError` where they are not UTF-8:
 * the usual decoding would put other characters in their place, unseen.
 */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new SyntaxError("it is not UTF-8 text", { cause });
  }
}

// TypeScript's library does not declare this part of JSON yet (Node 22).
const json = JSON as unknown as {
  isRawJSON(value: unknown): boolean;
  rawJSON(text: string): object;
};

/**
 * A number of an event that is kept as it was written, since a double would change it: an integer
 * beyond 2^53, mostly an id. `JSON.stringify` and text (`${id}`) give it back as it came; in
 * arithmetic and comparisons it is the nearest double.
 */
export class WrittenNumber {
  /** The number's own text, e.g. `12345678901234567890`. */
  readonly rawJSON: string;

  constructor(text: string) {
    this.rawJSON = text;
  }

  toJSON(): object {
    return json.rawJSON(this.rawJSON);
  }

  [Symbol.toPrimitive](hint: string): string | number {
    return hint === "number" ? Number(this.rawJSON) : this.rawJSON;
  }
}

/**
 * Whether a double loses what a number of JSON says: an integer beyond 2^53 that would be written
 * otherwise, and what would be 0.
 */
export function isChangedByDouble(number: string): boolean {
  const value = Number(number);
  if (value === 0) return /^[^eE]*[1-9]/.test(number);
  return Math.abs(value) > Number.MAX_SAFE_INTEGER && String(value) !== number;
}

/**
 * True for a {@link WrittenNumber}, also from another copy of this package, and for what
 * `JSON.rawJSON` makes of a number.
 */
export function isWrittenNumber(value: unknown): value is Pick<WrittenNumber, "rawJSON"> {
  if (typeof value !== "object" || value === null) return false;
  const { rawJSON, toJSON } = value as { rawJSON?: unknown; toJSON?: unknown };
  if (typeof rawJSON !== "string") return false;
  return typeof toJSON === "function" || (json.isRawJSON(value) && !rawJSON.startsWith('"'));
}

/** The nearest double of a number that is kept as it was written; any other value as it is. */
export const plainValue = (value: unknown): unknown =>
  isWrittenNumber(value) ? Number(value.rawJSON) : value;

/**
 * A copy with doubles for numbers that are kept as they were written, for readers that know no
 * other; itself where it has none.
 */
export function withPlainNumbers<Value>(value: Value): Value {
  if (!holdsWrittenNumber(value)) return value;
  if (isWrittenNumber(value)) return plainValue(value) as Value;
  const plain = Object.entries(value as object).map(
    ([key, item]) => [key, withPlainNumbers(item)] as const,
  );
  const copy = Array.isArray(value) ? plain.map(([, item]) => item) : Object.fromEntries(plain);
  return copy as Value;
}

function holdsWrittenNumber(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return value.some(holdsWrittenNumber);
  if (isWrittenNumber(value)) return true;
  for (const key in value) if (holdsWrittenNumber(Reflect.get(value, key))) return true;
  return false;
}

/** True for what JSON calls an object and YAML a mapping. */
export function isMapping(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" && value !== null && !Array.isArray(value) && !isWrittenNumber(value)
  );
}

/**
 * Sixteen digits in a row: written out, since the engine skips along a text by a pattern of one
 * length.
 */
const LONG = new RegExp("\\d".repeat(16));
const EXPONENT = /\d[eE][+\-\d]/;

/** Of 16 digits or more, or with an exponent of three: no other number is changed by a double. */
const NUMBER = /-?(?:(?:\d\.?){16}|\d+(?:\.\d+)?[eE][+-]?\d{3})[\d.eE+-]*/g;
/** The same where a number may begin: not a hash nor a phone number in a text. */
const SUSPECT = /(?:^|[:,[\s])-?(?:(?:\d\.?){16}|\d+(?:\.\d+)?[eE][+-]?\d{3})/;
const SHORTEST = "1e400".length;

const BYTE_ORDER_MARK = 0xfeff;

/** What nobody who writes JSON can know: a text that begins with it stands for a number. */
const MARK = `${crypto.randomUUID()}:`;

/**
 * `JSON.parse` for events: a number that a double would change is a {@link WrittenNumber}, which
 * `JSON.stringify` writes as it came; a byte order mark before it is left out (RFC 8259, 8.1).
 * Whatever reads an event reads it by this. Throws a `SyntaxError`, also for bytes that are not
 * UTF-8, and `NUMBER_OUT_OF_RANGE` for `1e400`.
 */
export function parseJson(given: string | Uint8Array): unknown {
  const text = typeof given === "string" ? given : decodeUtf8(given);
  const json = text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
  const value: unknown = JSON.parse(json);
  const isSuspect = (LONG.test(json) || EXPONENT.test(json)) && SUSPECT.test(json);
  const marked = isSuspect ? markNumbers(json) : json;
  if (marked === json) return value;
  try {
    return withWrittenNumbers(JSON.parse(marked));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new SyntaxError("nested too deeply", { cause });
  }
}

/**
 * Puts each number that a double would change, outside the texts, into a marked text. A reviver
 * would be told each number's source, too, but takes seconds for what parses in a hundredth of one.
 */
function markNumbers(json: string): string {
  let marked = "";
  let copied = 0;
  let at = 0;
  let textBefore = "";
  while (at < json.length) {
    const quote = json.indexOf('"', at);
    const end = quote === -1 ? json.length : quote;
    if (end - at >= SHORTEST) {
      const between = json.slice(at, end);
      const kept = between.replace(NUMBER, (number) => keep(number, textBefore));
      if (kept !== between) {
        marked += json.slice(copied, at) + kept;
        copied = end;
      }
    }
    if (quote === -1) break;
    at = endOfText(json, quote);
    textBefore = json.slice(quote, Math.min(at, quote + SHOWN));
  }
  return marked + json.slice(copied);
}

/** Behind the quote that ends a text. */
function endOfText(json: string, opening: number): number {
  for (let end = json.indexOf('"', opening + 1); ; end = json.indexOf('"', end + 1)) {
    let slashes = 0;
    while (json[end - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return end + 1;
  }
}

const SHOWN = 40;

/**
 * Kept is an integer beyond 2^53 that would be written otherwise, and what is so small that it
 * would become 0.
 */
function keep(number: string, textBefore: string): string {
  const value = Number(number);
  if (!Number.isFinite(value)) {
    const shown = number.length > SHOWN ? `${number.slice(0, SHOWN)}…` : number;
    const where = textBefore === "" ? "" : ` at ${textBefore}`;
    throw new OrgLoopError(
      "NUMBER_OUT_OF_RANGE",
      `the number ${shown}${where} is out of the range of a double: send it as text`,
    );
  }
  return isChangedByDouble(number) ? `"${MARK}${number}"` : number;
}

/** Changes `value`, which nobody else has. */
function withWrittenNumbers(value: unknown): unknown {
  if (typeof value === "string" && value.startsWith(MARK)) {
    return new WrittenNumber(value.slice(MARK.length));
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at += 1) value[at] = withWrittenNumbers(value[at]);
    return value;
  }
  for (const [key, item] of Object.entries(value)) {
    const kept = withWrittenNumbers(item);
    // Not by assignment: a key of JSON may be `__proto__`.
    if (kept !== item) Object.defineProperty(value, key, { ...OWN, value: kept });
  }
  return value;
}

const OWN = { enumerable: true, configurable: true, writable: true };
