import { isMapping } from "@orgloop/sdk";
import type { ReportOperand } from "./filter-problem.ts";
import { foldCase, type Key, type ReadAs } from "./keys.ts";
import type { Operator } from "./operator.ts";
import { caseBlind, compileWildcard, wildcardPieces } from "./text-tests.ts";

/** An operator on text, which also stands inside `anything-but`. */
export interface TextOperator extends Operator {
  readonly checkText: (text: string, report: ReportOperand) => void;
  readonly testText: (text: string) => (value: string) => boolean;
}

interface TextRules {
  readonly check?: (text: string, report: ReportOperand) => void;
  readonly test: (text: string) => (value: string) => boolean;
  readonly describe: (text: string) => string;
  readonly keys: (text: string) => readonly Key[];
}

/** A value as a filter has it, in words. */
export const shown = (value: unknown): string => JSON.stringify(value) ?? "nothing";

export const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : [value];

/** `blind`: what `{ equals-ignore-case: … }` means as its operand, where it may be one. */
function textOperator(rules: TextRules, blind?: TextRules): TextOperator {
  const choose = (operand: unknown): readonly [rules: TextRules, text: string] =>
    blind !== undefined && isMapping(operand)
      ? [blind, String(operand["equals-ignore-case"])]
      : [rules, String(operand)];
  const checkText = rules.check ?? (() => undefined);
  const takes = blind === undefined ? "text" : "text, or { equals-ignore-case: text }";
  return {
    takes,
    checkText,
    testText: rules.test,
    check: (operand, report) => {
      if (typeof operand === "string") checkText(operand, report);
      else if (blind === undefined || !isMapping(operand)) report(takes, operand);
      else if (
        Object.keys(operand).length !== 1 ||
        typeof operand["equals-ignore-case"] !== "string"
      ) {
        report("a mapping with equals-ignore-case alone", operand);
      }
    },
    test: (operand) => {
      const [chosen, text] = choose(operand);
      const test = chosen.test(text);
      return (leaf) => typeof leaf === "string" && test(leaf);
    },
    describe: (operand) => {
      const [chosen, text] = choose(operand);
      return chosen.describe(text);
    },
    keys: (operand) => {
      const [chosen, text] = choose(operand);
      return chosen.keys(text);
    },
  };
}

/** `prefix` and `suffix`. */
function affix(where: "prefix" | "suffix"): TextOperator {
  const verb = where === "prefix" ? "begins" : "ends";
  return textOperator(
    {
      test: (text) => (value) =>
        where === "prefix" ? value.startsWith(text) : value.endsWith(text),
      describe: (text) => `text that ${verb} with ${shown(text)}`,
      keys: (text) => keysOf(where, text, true),
    },
    {
      test: (text) => caseBlind(text, where),
      describe: (text) => `text that ${verb} with ${shown(text)} in any case`,
      // Not all that folds to the same is the same: `ß` is like `SS`, `SS` is not like `ß`.
      keys: (text) => keysOf(where, foldCase(text), false, "folded"),
    },
  );
}

export const equalsIgnoreCase = textOperator({
  test: (text) => caseBlind(text, "whole"),
  describe: (text) => `${shown(text)} in any case`,
  keys: (text) => [{ kind: "folded", text: foldCase(text), decides: false }],
});

export const wildcard = textOperator({
  check: (text, report) => {
    if (!text.includes("**")) return;
    report.format("text in which * stands for any characters, not two * in a row", text);
  },
  test: compileWildcard,
  describe: (text) => `text like ${shown(text)}`,
  keys: wildcardKeys,
});

/** How it begins, how it ends, and what stands between two stars. */
function wildcardKeys(pattern: string): readonly Key[] {
  const { head, middle, tail } = wildcardPieces(pattern);
  if (tail === null) return [{ kind: "value", value: head, decides: true }];
  const within = middle.flatMap((text) => keysOf("contains", text, false));
  return [...keysOf("prefix", head, false), ...keysOf("suffix", tail, false), ...within];
}

/** None of a text that is empty, which tells nothing. */
function keysOf(
  kind: "prefix" | "suffix" | "contains",
  text: string,
  decides: boolean,
  as: ReadAs = "text",
): readonly Key[] {
  return text === "" ? [] : [{ kind, as, text, decides }];
}

export const prefix = affix("prefix");
export const suffix = affix("suffix");

/** By name. */
export const TEXT_OPERATORS: Readonly<Record<string, TextOperator>> = {
  prefix,
  suffix,
  "equals-ignore-case": equalsIgnoreCase,
  wildcard,
};
