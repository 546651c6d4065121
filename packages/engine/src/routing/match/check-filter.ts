import {
  type Filter,
  isMapping,
  isPath,
  OrgLoopError,
  splitPath,
  withPlainNumbers,
} from "@orgloop/sdk";
import type { FilterPath, FilterProblem, ReportOperand } from "./filter-problem.ts";
import { EQUALS, OPERATORS } from "./operators.ts";

type Report = (problem: FilterProblem) => void;

const OPERATOR_NAMES = Object.keys(OPERATORS);

const isScalar = (value: unknown) =>
  value === null || ["string", "number", "boolean"].includes(typeof value);

function reporter(path: FilterPath, report: Report): ReportOperand {
  const invalid = (expected: string, found: unknown, at: FilterPath = []) =>
    report({ path: [...path, ...at], code: "invalid-value", expected, found });
  return Object.assign(invalid, {
    format: (expected: string, found: string) =>
      report({ path, code: "invalid-format", expected, found }),
    operator: (
      value: Readonly<Record<string, unknown>>,
      names: readonly string[],
      check: (name: string) => void,
    ) => {
      const keys = Object.keys(value);
      const name = keys[0];
      if (keys.length !== 1 || name === undefined) {
        invalid(`one operator in each item: ${names.join(", ")}`, value);
      } else if (names.includes(name)) check(name);
      else {
        const unknown = { path: [...path, name], found: name, expected: names.join(", ") };
        report({ ...unknown, code: "unknown-operator" });
      }
    },
  });
}

function checkElement(element: unknown, path: FilterPath, report: Report): void {
  const here = reporter(path, report);
  if (!isMapping(element)) {
    EQUALS.check(element, here);
    return;
  }
  here.operator(element, OPERATOR_NAMES, (name) => {
    OPERATORS[name]?.check(element[name], reporter([...path, name], report));
  });
}

function checkOr(branches: unknown, path: FilterPath, report: Report): void {
  if (!Array.isArray(branches) || branches.length < 2) {
    reporter(path, report)("a list of at least two filters", branches);
    return;
  }
  branches.forEach((branch, at) => {
    const here = [...path, at];
    if (isMapping(branch)) checkEntries(branch, here, report);
    else reporter(here, report)("a filter: a mapping of event path to value", branch);
  });
}

function checkEntries(
  filter: Readonly<Record<string, unknown>>,
  path: FilterPath,
  report: Report,
): void {
  for (const [key, value] of Object.entries(filter)) {
    const here = [...path, key];
    if (key === "$or") checkOr(value, here, report);
    else if (!isPath(key)) {
      const expected = "a path in the event, such as payload.action";
      report({ path: here, code: "invalid-path", expected, found: key });
    } else if (Array.isArray(value)) {
      if (value.length === 0) {
        reporter(here, report)("a list of values or operators, at least one", value);
      }
      value.forEach((element, at) => {
        checkElement(element, [...here, at], report);
      });
    } else if (!isScalar(value)) {
      const expected = "a value, or a list of values and operators such as [{ prefix: … }]";
      reporter(here, report)(expected, value);
    }
  }
}

/** Reports every wrong path, operator and operand of a route's filter. */
export function checkFilter(filter: Readonly<Record<string, unknown>>, report: Report): void {
  checkEntries(filter, [], report);
}

/**
 * The filter, its numbers as doubles: so are an event's compared. Throws `INVALID_FILTER`,
 * `INVALID_PATH`.
 */
export function soundFilter(written: Filter): Filter {
  const filter = withPlainNumbers(written);
  checkFilter(filter, ({ path, code, found, expected }) => {
    if (code === "invalid-path") splitPath(String(found));
    const shown = `${path.join(".")}: found ${JSON.stringify(found)}, expected ${expected}`;
    throw new OrgLoopError("INVALID_FILTER", shown);
  });
  return filter;
}
