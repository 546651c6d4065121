/** A number that is kept as it was written, since no double holds it: what `JSON.rawJSON` returns. */
export interface WrittenNumber {
  /** The number's own text, e.g. `12345678901234567890`. */
  readonly rawJSON: string;
}

interface SourceTextJson {
  isRawJSON(value: unknown): value is WrittenNumber;
  rawJSON(text: string): WrittenNumber;
}

// TypeScript's library does not declare this part of JSON yet (ECMAScript 2027, Node 22).
const json = JSON as unknown as SourceTextJson;

/** True for a number that is kept as it was written. `JSON.stringify` writes it as it came. */
export const isWrittenNumber = (value: unknown): value is WrittenNumber =>
  typeof value === "object" && value !== null && json.isRawJSON(value);

/** A number that `JSON.stringify` writes exactly as `text`. */
export const writtenNumber = (text: string): WrittenNumber => json.rawJSON(text);

/** The nearest double of a number that is kept as it was written; any other value as it is. */
export const plainValue = (value: unknown): unknown =>
  isWrittenNumber(value) ? Number(value.rawJSON) : value;
