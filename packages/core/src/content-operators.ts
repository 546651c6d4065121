import { BlockList, isIP } from "node:net";
import { isMapping, OrgLoopError } from "@orgloop/sdk";
import { compileWildcard } from "./wildcard.ts";

/** Decides over one leaf of an event. */
export type LeafTest = (leaf: unknown) => boolean;

type StringTest = (value: string) => boolean;

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

function invalid(operator: string, found: unknown, expected: string): OrgLoopError {
  return new OrgLoopError(
    "INVALID_FILTER",
    `${operator}: found ${JSON.stringify(found)}, expected ${expected}`,
  );
}

function only(operator: string, value: Record<string, unknown>): [string, unknown] {
  const entries = Object.entries(value);
  const entry = entries[0];
  if (entries.length !== 1 || entry === undefined) {
    throw invalid(operator, value, "an object with one operator");
  }
  return entry;
}

function stringOf(operator: string, value: unknown): string {
  if (typeof value !== "string") throw invalid(operator, value, "a string");
  return value;
}

/** `prefix`, `suffix`, `equals-ignore-case`, `wildcard`: also what `anything-but` may hold. */
function stringTest(operator: string, operand: unknown): StringTest {
  if ((operator === "prefix" || operator === "suffix") && isMapping(operand)) {
    const [inner, text] = only(operator, operand);
    if (inner !== "equals-ignore-case") throw invalid(operator, operand, "equals-ignore-case");
    const lower = stringOf(operator, text).toLowerCase();
    return operator === "prefix"
      ? (value) => value.toLowerCase().startsWith(lower)
      : (value) => value.toLowerCase().endsWith(lower);
  }
  const text = stringOf(operator, operand);
  switch (operator) {
    case "prefix":
      return (value) => value.startsWith(text);
    case "suffix":
      return (value) => value.endsWith(text);
    case "equals-ignore-case": {
      const lower = text.toLowerCase();
      return (value) => value.toLowerCase() === lower;
    }
    case "wildcard":
      return compileWildcard(text);
    default:
      throw invalid(operator, operand, "prefix, suffix, equals-ignore-case or wildcard");
  }
}

function onStrings(test: StringTest): LeafTest {
  return (leaf) => typeof leaf === "string" && test(leaf);
}

function anythingBut(operand: unknown): LeafTest {
  if (isMapping(operand)) {
    const [operator, texts] = only("anything-but", operand);
    const tests = (Array.isArray(texts) ? texts : [texts]).map((text) =>
      stringTest(operator, text),
    );
    return onStrings((value) => !tests.some((test) => test(value)));
  }
  const refused = new Set(Array.isArray(operand) ? operand : [operand]);
  for (const value of refused) {
    if (typeof value !== "string" && typeof value !== "number") {
      throw invalid("anything-but", value, "a string, a number, or a list of them");
    }
  }
  return (leaf) => !refused.has(leaf);
}

function numeric(operand: unknown): LeafTest {
  const list = Array.isArray(operand) ? operand : [];
  const tests: ((value: number) => boolean)[] = [];
  for (let i = 0; i < list.length; i += 2) {
    const compare = Object.hasOwn(COMPARE, String(list[i])) ? COMPARE[String(list[i])] : undefined;
    const bound: unknown = list[i + 1];
    if (compare === undefined || typeof bound !== "number") {
      throw invalid("numeric", operand, 'pairs such as [">", 10, "<=", 99]');
    }
    tests.push((value) => compare(value, bound));
  }
  if (tests.length === 0) throw invalid("numeric", operand, 'pairs such as [">", 10, "<=", 99]');
  return (leaf) => typeof leaf === "number" && tests.every((test) => test(leaf));
}

function cidr(operand: unknown): LeafTest {
  const [address = "", bits = ""] = stringOf("cidr", operand).split("/");
  const family = isIP(address) === 6 ? "ipv6" : "ipv4";
  const range = new BlockList();
  try {
    range.addSubnet(address, /^\d+$/.test(bits) ? Number(bits) : Number.NaN, family);
  } catch {
    throw invalid("cidr", operand, "an address and its prefix length, e.g. 10.0.0.0/24");
  }
  return onStrings((value) => {
    const version = isIP(value);
    return version !== 0 && range.check(value, version === 6 ? "ipv6" : "ipv4");
  });
}

/**
 * One element of a filter's list as a test over a leaf: a scalar (strictly equal) or one of EventBridge's content
 * operators but `exists`, which is about the absence of leaves. Throws `INVALID_FILTER`.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export function compileLeafTest(element: unknown): LeafTest {
  if (!isMapping(element)) {
    if (Array.isArray(element)) throw invalid("filter", element, "a scalar or an operator");
    return (leaf) => leaf === element;
  }
  const [operator, operand] = only("filter", element);
  switch (operator) {
    case "anything-but":
      return anythingBut(operand);
    case "numeric":
      return numeric(operand);
    case "cidr":
      return cidr(operand);
    default:
      return onStrings(stringTest(operator, operand));
  }
}
