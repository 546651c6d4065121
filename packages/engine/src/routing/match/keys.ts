import { isIP } from "node:net";

/** How a leaf is read before it is compared with the text of a key. */
export type ReadAs = "text" | "folded" | "address";

/**
 * Something that is true of every leaf that passes a condition, in a form that can be looked up.
 * `decides`: of no other leaf, so that whatever has the key passes.
 */
export type Key = { readonly decides: boolean } & (
  | { readonly kind: "value"; readonly value: unknown }
  /** It is this text once its case is folded. */
  | { readonly kind: "folded"; readonly text: string }
  /** It begins with, ends with or contains this text, which is not empty. */
  | {
      readonly kind: "prefix" | "suffix" | "contains";
      readonly as: ReadAs;
      readonly text: string;
    }
  /** It is a number from `low` to `high`, both included; `low < high`. */
  | { readonly kind: "range"; readonly low: number; readonly high: number }
);

/**
 * Two texts that `equals-ignore-case` takes for the same, character by character, fold to the same;
 * lower case first, since `ς` and `σ` have one upper case, and the lower case of `Σ` depends on
 * what stands beside it.
 */
export const foldCase = (text: string): string => text.toLowerCase().toUpperCase();

/** True where no leaf can have both; false also where that is not known. */
export function keysAreDisjoint(one: Key, other: Key): boolean {
  if (one.kind === "value") return !mayHave(one.value, other);
  if (other.kind === "value") return !mayHave(other.value, one);
  if (one.kind === "range" && other.kind === "range") {
    return one.high < other.low || other.high < one.low;
  }
  if (one.kind === "range" || other.kind === "range") return true;
  if (one.kind === "folded" && other.kind === "folded") return one.text !== other.text;
  if (one.kind === "folded" || other.kind === "folded") return false;
  if (one.kind !== other.kind || one.as !== other.as || one.kind === "contains") return false;
  const [short, long] = one.text.length < other.text.length ? [one, other] : [other, one];
  return !(one.kind === "prefix"
    ? long.text.startsWith(short.text)
    : long.text.endsWith(short.text));
}

function mayHave(value: unknown, key: Key): boolean {
  if (key.kind === "value") return value === key.value;
  if (key.kind === "range") {
    return typeof value === "number" && key.low <= value && value <= key.high;
  }
  if (typeof value !== "string") return false;
  if (key.kind === "folded") return foldCase(value) === key.text;
  const text = readAs(value, key.as);
  if (text === null) return false;
  if (key.kind === "prefix") return text.startsWith(key.text);
  return key.kind === "suffix" ? text.endsWith(key.text) : text.includes(key.text);
}

/** A leaf's text as keys of this kind are compared with it; null: it has none. */
export function readAs(text: string, as: ReadAs): string | null {
  if (as === "folded") return foldCase(text);
  return as === "address" ? addressBits(text) : text;
}

/** An address as its version and its bits: `4` and 32, or `6` and 128; null: it is none. */
export function addressBits(text: string): string | null {
  const version = isIP(text);
  if (version === 0) return null;
  if (version === 4) return `4${text.split(".").map(bitsOf(8)).join("")}`;
  const [left = [], right = []] = text.replace(/%.*/, "").split("::").map(groupsOf);
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => "0");
  return `6${[...left, ...zeros, ...right].map((group) => bitsOf(16)(`0x${group}`)).join("")}`;
}

const bitsOf = (width: number) => (number: string) =>
  Number(number).toString(2).padStart(width, "0");

/** The groups of half an IPv6 address; `10.0.0.1` at its end is two. */
function groupsOf(half: string): readonly string[] {
  return half.split(":").flatMap((group) => {
    if (group === "") return [];
    if (!group.includes(".")) return [group];
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)];
  });
}

const DOUBLE = new Float64Array(1);
const BITS = new BigInt64Array(DOUBLE.buffer);

/** The least double above `value`. */
export function nextUp(value: number): number {
  if (value === Number.POSITIVE_INFINITY || Number.isNaN(value)) return Number.NaN;
  if (value === 0) return Number.MIN_VALUE;
  DOUBLE[0] = value;
  BITS[0] = (BITS[0] ?? 0n) + (value > 0 ? 1n : -1n);
  return DOUBLE[0] ?? Number.NaN;
}

/** The greatest double below `value`. */
export const nextDown = (value: number): number => -nextUp(-value);
