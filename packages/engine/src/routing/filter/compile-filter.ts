import {
  type Filter,
  getPath,
  isMapping,
  OrgLoopError,
  type OrgLoopEvent,
  plainValue,
  splitPath,
  withPlainNumbers,
} from "@orgloop/sdk";
import { checkFilter } from "./check-filter.ts";
import { CONTENT_OPERATORS, type LeafTest } from "./content-operators.ts";
import { hasLeaf } from "./has-leaf.ts";
import { compileConditions } from "./joint-conditions.ts";
import { type Conjunction, type ListCondition, multiplyOut, takeApart } from "./take-apart.ts";

/** Decides over an event. */
export type EventTest = (event: OrgLoopEvent) => boolean;

const allOf = (tests: readonly EventTest[]): EventTest =>
  tests.length === 1 && tests[0] ? tests[0] : (event) => tests.every((test) => test(event));

const anyOf = (tests: readonly EventTest[]): EventTest =>
  tests.length === 1 && tests[0] ? tests[0] : (event) => tests.some((test) => test(event));

function elementTest(element: unknown): LeafTest {
  if (!isMapping(element)) return (leaf) => leaf === element;
  const [[name, operand] = ["", undefined]] = Object.entries(element);
  return CONTENT_OPERATORS[name]?.test(operand) ?? (() => false);
}

function conditionOf({ path, elements, orAbsent }: ListCondition) {
  const tests = elements.map(elementTest);
  const [only] = tests;
  const test: LeafTest =
    tests.length === 1 && only ? only : (leaf) => tests.some((one) => one(leaf));
  return { path, orAbsent, test };
}

/** Lists hold together, but those whose path is absent and may be. */
function listsTest(lists: readonly ListCondition[]): EventTest {
  const conditions = lists.map(conditionOf);
  const all = compileConditions(conditions);
  if (!conditions.some(({ orAbsent }) => orAbsent)) return all;
  return (event) => {
    const present = conditions.filter(({ orAbsent, path }) => !orAbsent || hasLeaf(event, path));
    return present.length === lists.length ? all(event) : compileConditions(present)(event);
  };
}

function conjunctionTest({ equals, absent, lists, choice }: Conjunction): EventTest {
  return allOf([
    ...equals.map(
      ({ path, value }): EventTest =>
        (event) =>
          plainValue(getPath(event, path)) === value,
    ),
    ...absent.map(
      (path): EventTest =>
        (event) =>
          !hasLeaf(event, path),
    ),
    ...(lists.length === 0 ? [] : [listsTest(lists)]),
    ...(choice === undefined ? [] : [anyOf(choice.map(branchesTest))]),
  ]);
}

const branchesTest = (conjunction: Conjunction): EventTest =>
  anyOf(multiplyOut(conjunction).map(conjunctionTest));

/**
 * A route's filter as a test: every entry must hold. A scalar is v1alpha1's strict equality at
 * exactly that path; a list holds scalars and content operators, of which one must hold for one
 * leaf, and takes arrays apart, so that the conditions on one array hold for one element of it
 * together (`docs/configuration.md`, Filters). Throws `INVALID_FILTER`, `INVALID_PATH`.
 */
export function compileFilter(written: Filter): EventTest {
  // An event's numbers are compared as the doubles that they are nearest to, and so are the
  // filter's.
  const filter = withPlainNumbers(written);
  checkFilter(filter, ({ path, code, found, expected }) => {
    if (code === "invalid-path") splitPath(String(found));
    const shown = `${path.join(".")}: found ${JSON.stringify(found)}, expected ${expected}`;
    throw new OrgLoopError("INVALID_FILTER", shown);
  });
  return branchesTest(takeApart(filter));
}
