import { getPath, isWrittenNumber, OrgLoopError, plainValue, splitPath } from "@orgloop/sdk";

const FORM = /^([a-zA-Z_](?:[\w.]|\\\.)*)\s*(===|!==|>=|<=|>|<)\s*(\S.*)$/;
const QUOTED = /^(['"])(.*)\1$/;

/**
 * `field OP value` (v1alpha1, section 5). The value is quoted text, a number, or text without
 * quotes. === and !== compare the values, then their texts; the others are false unless both are
 * numbers. Throws `INVALID_EXPRESSION` and `INVALID_PATH`.
 */
export function parseComparison(expression: string): (event: unknown) => boolean {
  const [, field, operator, literal] = FORM.exec(expression.trim()) ?? [];
  if (field === undefined || operator === undefined || literal === undefined) {
    throw new OrgLoopError(
      "INVALID_EXPRESSION",
      `"${expression}" is not a comparison: expected a field, one of === !== > < >= <=, and a value, e.g. payload.size > 10`,
    );
  }
  const path = splitPath(field);
  const expected = literalValue(literal);
  return (event) => compare(getPath(event, path), operator, expected);
}

function literalValue(literal: string): string | number {
  const quoted = QUOTED.exec(literal)?.[2];
  if (quoted !== undefined) return quoted;
  const number = Number(literal);
  return Number.isNaN(number) ? literal : number;
}

function compare(found: unknown, operator: string, expected: string | number): boolean {
  const value = plainValue(found);
  if (operator === "===") return value === expected || textOf(found) === String(expected);
  if (operator === "!==") return value !== expected && textOf(found) !== String(expected);
  if (typeof value !== "number" || typeof expected !== "number") return false;
  if (operator === ">") return value > expected;
  if (operator === "<") return value < expected;
  return operator === ">=" ? value >= expected : value <= expected;
}

/** `String(value)`, or undefined for an object whose own `toString` is in the way. */
function textOf(value: unknown): string | undefined {
  if (isWrittenNumber(value)) return value.rawJSON;
  try {
    return String(value);
  } catch {
    return undefined;
  }
}
