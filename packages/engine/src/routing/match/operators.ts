import { BlockList, isIP } from "node:net";
import { isMapping } from "@orgloop/sdk";
import { addressBits, type Key, nextDown, nextUp } from "./keys.ts";
import type { LeafTest, Operator } from "./operator.ts";
import {
  equalsIgnoreCase,
  listOf,
  prefix,
  shown,
  suffix,
  TEXT_OPERATORS,
  type TextOperator,
  wildcard,
} from "./text-operators.ts";

/** Equality: a text, number, true, false or null as it stands. */
export const EQUALS: Operator = {
  takes: "text, a number, true, false or null",
  check: (operand, report) => {
    const isScalar = operand === null || ["string", "number", "boolean"].includes(typeof operand);
    if (!isScalar) report("a value or an operator", operand);
  },
  test: (operand) => (leaf) => leaf === operand,
  describe: shown,
  keys: (operand) => [{ kind: "value", value: operand, decides: true }],
};

const anythingBut: Operator = {
  takes: `text, a number, a list of them, or { ${Object.keys(TEXT_OPERATORS).join(" | ")}: … }`,
  check: (operand, report) => {
    if (!isMapping(operand)) {
      const values = listOf(operand);
      const plain = values.every((value) => ["string", "number"].includes(typeof value));
      if (values.length === 0 || !plain) report(anythingBut.takes, operand);
      return;
    }
    report.operator(operand, Object.keys(TEXT_OPERATORS), (name) => {
      const texts = listOf(operand[name]);
      if (texts.length === 0 || !texts.every((text) => typeof text === "string")) {
        report("text, or a list of texts", operand[name], [name]);
      } else for (const text of texts) TEXT_OPERATORS[name]?.checkText(text, report);
    });
  },
  // What is of another type than the operand is something else: event-ruler lets it through.
  test: (operand) => {
    if (!isMapping(operand)) {
      const refused = new Set(listOf(operand));
      return (leaf) => !refused.has(leaf);
    }
    const tests = refusedTexts(operand).map(([operator, text]) => operator.testText(text));
    return (leaf) => typeof leaf !== "string" || !tests.some((test) => test(leaf));
  },
  describe: (operand) => {
    const refused = isMapping(operand)
      ? refusedTexts(operand).map(([operator, text]) => operator.describe(text))
      : listOf(operand).map(shown);
    return `anything but ${refused.join(" or ")}`;
  },
  keys: () => [],
};

function refusedTexts(operand: Readonly<Record<string, unknown>>) {
  return Object.entries(operand).flatMap(([name, texts]) =>
    listOf(texts).map((text) => [TEXT_OPERATORS[name] as TextOperator, String(text)] as const),
  );
}

/** EventBridge's comparisons, and `!=`. */
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

/** `[">", 10, "<=", 99]` → `[">", 10]`, `["<=", 99]`. */
function comparisons(operand: unknown): readonly (readonly [sign: string, bound: number])[] {
  const list = operand as readonly unknown[];
  return list.flatMap((sign, at) => (at % 2 === 0 ? [[String(sign), Number(list[at + 1])]] : []));
}

const numeric: Operator = {
  takes: 'one or two comparisons, e.g. [">", 10, "<=", 99]',
  check: (operand, report) => {
    if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
      report(numeric.takes, operand);
      return;
    }
    operand.forEach((item, at) => {
      const isComparison = typeof item === "string" && Object.hasOwn(COMPARE, item);
      if (at % 2 === 0 && !isComparison) {
        report(`one of ${Object.keys(COMPARE).join(", ")}`, item, [at]);
      } else if (at % 2 === 1 && typeof item !== "number") report("a number", item, [at]);
    });
  },
  test: (operand) => {
    const tests = comparisons(operand).map(([sign, bound]) => [COMPARE[sign], bound] as const);
    return (leaf) =>
      typeof leaf === "number" && tests.every(([compare, bound]) => compare?.(leaf, bound));
  },
  describe: (operand) =>
    `a number ${comparisons(operand)
      .map(([sign, bound]) => `${sign} ${bound}`)
      .join(" and ")}`,
  keys: rangeOf,
};

/** All comparisons as one range of doubles; `!=` leaves it as it is. */
function rangeOf(operand: unknown): readonly Key[] | null {
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  let decides = true;
  for (const [sign, bound] of comparisons(operand)) {
    if (sign === "=" || sign === ">=") low = Math.max(low, bound);
    if (sign === "=" || sign === "<=") high = Math.min(high, bound);
    if (sign === ">") low = Math.max(low, nextUp(bound));
    if (sign === "<") high = Math.min(high, nextDown(bound));
    if (sign === "!=") decides = false;
  }
  if (low === Number.NEGATIVE_INFINITY && high === Number.POSITIVE_INFINITY) return [];
  if (low === high) return [{ kind: "value", value: low, decides }];
  return low < high ? [{ kind: "range", low, high, decides }] : null;
}

/** `10.0.0.0/24` or `fd00::/8`. */
export function isCidr(value: string): boolean {
  const [, address = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const version = isIP(address);
  return version !== 0 && !address.includes("%") && Number(bits) <= (version === 4 ? 32 : 128);
}

const cidr: Operator = {
  takes: "a network, e.g. 10.0.0.0/24",
  check: (operand, report) => {
    if (typeof operand !== "string") report(cidr.takes, operand);
    else if (!isCidr(operand)) report.format(cidr.takes, operand);
  },
  test: (operand) => {
    const [address = "", bits] = String(operand).split("/");
    const version = isIP(address);
    const family = version === 6 ? "ipv6" : "ipv4";
    const range = new BlockList();
    range.addSubnet(address, Number(bits), family);
    // An IPv4 address inside an IPv6 one is in no IPv4 network: event-ruler compares like with
    // like.
    return onText((value) => isIP(value) === version && range.check(value, family));
  },
  describe: (operand) => `an address in ${operand}`,
  keys: (operand) => {
    const [address = "", bits] = String(operand).split("/");
    const version = 1;
    const text = addressBits(address)?.slice(0, version + Number(bits)) ?? "";
    return [{ kind: "prefix", as: "address", text, decides: true }];
  },
};

const exists: Operator = {
  takes: "true or false",
  check: (operand, report) => {
    if (typeof operand !== "boolean") report(exists.takes, operand);
  },
  // `exists: false` is about the absence of leaves: whoever compiles a filter looks at it first.
  test: (operand) => () => operand === true,
  describe: (operand) => (operand === true ? "any value" : "no value"),
  keys: () => [],
};

const onText =
  (test: (value: string) => boolean): LeafTest =>
  (leaf) =>
    typeof leaf === "string" && test(leaf);

/**
 * EventBridge's content operators by name: the one statement of what each takes and means, for the
 * schema of the configuration, the matcher, `explain`, the search for contradictions, and the
 * table in `docs/configuration.md`.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const OPERATORS: Readonly<Record<string, Operator>> = {
  prefix,
  suffix,
  "anything-but": anythingBut,
  numeric,
  exists,
  "equals-ignore-case": equalsIgnoreCase,
  wildcard,
  cidr,
};
