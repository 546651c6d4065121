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
  if (typeof value !== "object" || value === null) return value;
  if (isWrittenNumber(value)) return plainValue(value) as Value;
  const plain = Object.entries(value).map(([key, item]) => [key, withPlainNumbers(item)] as const);
  if (plain.every(([key, item]) => (value as Record<string, unknown>)[key] === item)) return value;
  const copy = Array.isArray(value) ? plain.map(([, item]) => item) : Object.fromEntries(plain);
  return copy as Value;
}
