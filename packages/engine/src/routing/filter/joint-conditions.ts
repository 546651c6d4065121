import { childOf, plainValue } from "@orgloop/sdk";
import type { LeafTest } from "./content-operators.ts";
import { isLeaf } from "./has-leaf.ts";

/** What one leaf at a path must be. */
export interface Condition {
  readonly path: readonly string[];
  readonly test: LeafTest;
}

/** The conditions at a path and below it. */
interface Branch {
  readonly segment: string;
  readonly tests: readonly LeafTest[];
  readonly branches: readonly Branch[];
  /** Whether a branch may be an element of an array, named by its index. */
  readonly mayIndex: boolean;
}

const INDEX = /^(?:\d+|length)$/;

/** The conditions as a tree of the steps of their paths. */
function branchOf(segment: string, conditions: readonly Condition[], depth: number): Branch {
  const below = conditions.filter(({ path }) => path.length > depth);
  const groups = Map.groupBy(below, ({ path }) => path[depth] as string);
  return {
    segment,
    tests: conditions.filter(({ path }) => path.length === depth).map(({ test }) => test),
    branches: [...groups].map(([next, group]) => branchOf(next, group, depth + 1)),
    mayIndex: [...groups.keys()].some((next) => INDEX.test(next)),
  };
}

function holds(branch: Branch, value: unknown): boolean {
  if (Array.isArray(value)) return holdsInArray(branch, value);
  const { tests, branches } = branch;
  if (tests.length > 0) {
    if (!isLeaf(value)) return false;
    const leaf = plainValue(value);
    if (!tests.every((test) => test(leaf))) return false;
  }
  return branches.every((next) => {
    const child = childOf(value, next.segment);
    return child !== undefined && holds(next, child);
  });
}

/**
 * One element must satisfy all conditions on the array but those that name their element by its
 * index.
 */
function holdsInArray(branch: Branch, array: readonly unknown[]): boolean {
  if (!branch.mayIndex) return array.some((element) => holds(branch, element));
  const open = branch.branches.filter((next) => {
    const element = childOf(array, next.segment);
    return element === undefined || !holds(next, element);
  });
  if (open.length === 0 && branch.tests.length === 0) return true;
  const rest = { ...branch, branches: open };
  return array.some((element) => holds(rest, element));
}

/**
 * Whether all conditions hold together: those whose paths lead through the same array hold for the
 * same element of it (event-ruler's array consistency). The time is bounded by the size of the
 * event times the number of conditions.
 */
export function compileConditions(conditions: readonly Condition[]): (event: object) => boolean {
  const root = branchOf("", conditions, 0);
  return (event) => holds(root, event);
}
