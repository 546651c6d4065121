import { BlockList, isIP } from "node:net";
import { isMapping } from "@orgloop/sdk";
import { caseBlind } from "./case-blind.ts";
import type { ReportOperand } from "./filter-problem.ts";
import { compileWildcard } from "./wildcard.ts";

/** Decides over one leaf of an event; a number is its double. */
export type LeafTest = (leaf: unknown) => boolean;

/** One content operator: what its operand may be, and what it means. */
export interface ContentOperator {
  /** Reports everything that is wrong with the operand. */
  readonly check: (operand: unknown, report: ReportOperand) => void;
  /** Of an operand that `check` finds nothing wrong with. */
  readonly test: (operand: unknown) => LeafTest;
}

/** An operator on text, which also stands inside `anything-but`. */
interface TextOperator {
  readonly check: (text: string, report: ReportOperand) => void;
  readonly test: (text: string) => (value: string) => boolean;
}

const anyText = () => undefined;

const TEXT: Readonly<Record<string, TextOperator>> = {
  prefix: { check: anyText, test: (text) => (value) => value.startsWith(text) },
  suffix: { check: anyText, test: (text) => (value) => value.endsWith(text) },
  "equals-ignore-case": { check: anyText, test: (text) => caseBlind(text, "whole") },
  wildcard: {
    check: (text, report) => {
      if (!text.includes("**")) return;
      report.format("text in which * stands for any characters, not two * in a row", text);
    },
    test: compileWildcard,
  },
};

const onText =
  (test: (value: string) => boolean): LeafTest =>
  (leaf) =>
    typeof leaf === "string" && test(leaf);

const textOperator = ({ check, test }: TextOperator): ContentOperator => ({
  check: (operand, report) => {
    if (typeof operand === "string") check(operand, report);
    else report("text", operand);
  },
  test: (operand) => onText(test(operand as string)),
});

/** `prefix` and `suffix`, whose operand may be `{ equals-ignore-case: … }`. */
const affix = (where: "prefix" | "suffix"): ContentOperator => {
  const plain = textOperator(TEXT[where] as TextOperator);
  return {
    check: (operand, report) => {
      if (!isMapping(operand)) {
        if (typeof operand !== "string") {
          report("text, or { equals-ignore-case: text }", operand);
        }
        return;
      }
      if (Object.keys(operand).length !== 1 || typeof operand["equals-ignore-case"] !== "string") {
        report("a mapping with equals-ignore-case alone", operand);
      }
    },
    test: (operand) =>
      isMapping(operand)
        ? onText(caseBlind(operand["equals-ignore-case"] as string, where))
        : plain.test(operand),
  };
};

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const anythingBut: ContentOperator = {
  check: (operand, report) => {
    if (!isMapping(operand)) {
      const values = listOf(operand);
      const plain = values.every((value) => ["string", "number"].includes(typeof value));
      if (values.length > 0 && plain) return;
      const operators = Object.keys(TEXT).join(" | ");
      report(`text, a number, a list of them, or { ${operators}: … }`, operand);
      return;
    }
    report.operator(operand, Object.keys(TEXT), (name) => {
      const texts = listOf(operand[name]);
      if (texts.length === 0 || !texts.every((text) => typeof text === "string")) {
        report("text, or a list of texts", operand[name], [name]);
      } else for (const text of texts) TEXT[name]?.check(text, report);
    });
  },
  // What is of another type than the operand is something else: event-ruler lets it through.
  test: (operand) => {
    if (!isMapping(operand)) {
      const refused = new Set(listOf(operand));
      return (leaf) => !refused.has(leaf);
    }
    const tests = Object.entries(operand).flatMap(([name, texts]) =>
      listOf(texts).map((text) => (TEXT[name] as TextOperator).test(text as string)),
    );
    return (leaf) => typeof leaf !== "string" || !tests.some((test) => test(leaf));
  },
};

/** EventBridge's comparisons, and `!=`. */
const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  "=": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};

const numeric: ContentOperator = {
  check: (operand, report) => {
    if (!Array.isArray(operand) || (operand.length !== 2 && operand.length !== 4)) {
      report('one or two comparisons, e.g. [">", 10, "<=", 99]', operand);
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
    const list = operand as readonly (string | number)[];
    const tests = list.flatMap((item, at) => {
      const compare = COMPARE[item];
      const bound = Number(list[at + 1]);
      return at % 2 === 0 && compare ? [(value: number) => compare(value, bound)] : [];
    });
    return (leaf) => typeof leaf === "number" && tests.every((test) => test(leaf));
  },
};

/** `10.0.0.0/24` or `fd00::/8`. */
export function isCidr(value: string): boolean {
  const [, address = "", bits = ""] = /^(.+)\/(\d{1,3})$/.exec(value) ?? [];
  const version = isIP(address);
  return version !== 0 && !address.includes("%") && Number(bits) <= (version === 4 ? 32 : 128);
}

const cidr: ContentOperator = {
  check: (operand, report) => {
    const expected = "a network, e.g. 10.0.0.0/24";
    if (typeof operand !== "string") report(expected, operand);
    else if (!isCidr(operand)) report.format(expected, operand);
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
};

const exists: ContentOperator = {
  check: (operand, report) => {
    if (typeof operand !== "boolean") report("true or false", operand);
  },
  // `exists: false` is about the absence of leaves: whoever compiles a filter looks at it first.
  test: (operand) => () => operand === true,
};

/**
 * EventBridge's content operators by name, for whoever checks a filter and whoever compiles it.
 *
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export const CONTENT_OPERATORS: Readonly<Record<string, ContentOperator>> = {
  prefix: affix("prefix"),
  suffix: affix("suffix"),
  "anything-but": anythingBut,
  numeric,
  exists,
  "equals-ignore-case": textOperator(TEXT["equals-ignore-case"] as TextOperator),
  wildcard: textOperator(TEXT.wildcard as TextOperator),
  cidr,
};
