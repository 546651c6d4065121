import { type Filter, getPath, OrgLoopError, type OrgLoopEvent, splitPath } from "@orgloop/sdk";
import { compileLeafTest } from "./content-operators.ts";
import { leavesAt } from "./leaves.ts";

/** Decides over an event. */
export type EventTest = (event: OrgLoopEvent) => boolean;

function existsOperand(element: unknown): boolean | undefined {
  if (typeof element !== "object" || element === null || !("exists" in element)) return undefined;
  if (typeof element.exists !== "boolean" || Object.keys(element).length !== 1) {
    throw new OrgLoopError(
      "INVALID_FILTER",
      `exists: found ${JSON.stringify(element)}, expected { exists: true } or { exists: false }`,
    );
  }
  return element.exists;
}

/** Alternatives are joined by "or": the scalar or operator that one leaf satisfies. */
function compileAlternatives(path: readonly string[], alternatives: readonly unknown[]): EventTest {
  const tests = alternatives.map((element): ((leaves: readonly unknown[]) => boolean) => {
    const exists = existsOperand(element);
    if (exists !== undefined) return (leaves) => leaves.length > 0 === exists;
    const test = compileLeafTest(element);
    return (leaves) => leaves.some(test);
  });
  return (event) => {
    const leaves = leavesAt(event, path);
    return tests.some((test) => test(leaves));
  };
}

function compileOr(branches: unknown): EventTest {
  if (!Array.isArray(branches) || branches.length < 2) {
    throw new OrgLoopError(
      "INVALID_FILTER",
      `$or: found ${JSON.stringify(branches)}, expected a list of at least two filters`,
    );
  }
  const tests = branches.map((branch) => compileFilter(branch as Filter));
  return (event) => tests.some((test) => test(event));
}

/**
 * A route's filter as a test: every entry must hold. A scalar is v1alpha1's strict equality at a dot path; a list holds
 * scalars and content operators, of which one must hold (`config-at-scale.md`, Routes). Throws `INVALID_FILTER`, `INVALID_PATH`.
 */
export function compileFilter(filter: Filter): EventTest {
  const tests = Object.entries(filter).map(([path, expected]): EventTest => {
    if (path === "$or") return compileOr(expected);
    const segments = splitPath(path);
    if (Array.isArray(expected)) return compileAlternatives(segments, expected);
    return (event) => getPath(event, segments) === expected;
  });
  return (event) => tests.every((test) => test(event));
}
