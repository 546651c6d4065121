import { isChangedByDouble, WrittenNumber } from "@orgloop/sdk";

/**
 * A number as JSON writes it: other forms of YAML, such as `0x1F` or `+1`, could not be written out
 * again.
 */
const JSON_NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Every form that YAML 1.2 has for a decimal number. */
const DECIMAL = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][+-]?\d+)?$/;
/** Shorter ones are the double that they are read as. */
const SHORTEST = "1e16".length;

/**
 * A number that a double would change, as it is written; undefined for any other text. One out of a
 * double's range among them.
 */
export function keptNumber(text: string): WrittenNumber | undefined {
  if (text.length < SHORTEST || !DECIMAL.test(text)) return undefined;
  const isKept = JSON_NUMBER.test(text) ? isChangedByDouble(text) : !Number.isFinite(Number(text));
  return isKept ? new WrittenNumber(text) : undefined;
}
