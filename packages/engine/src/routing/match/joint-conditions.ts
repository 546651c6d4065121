import { childOf, plainValue } from "@orgloop/sdk";
import { rootOf } from "./conjunction.ts";
import { isLeaf, type Reading } from "./event-path.ts";
import type { Predicate } from "./predicate.ts";

/** The predicates at a path and below it. */
interface Branch {
  readonly segment: string;
  readonly here: readonly Predicate[];
  readonly branches: readonly Branch[];
  /** Whether a branch may be an element of an array, named by its index. */
  readonly mayIndex: boolean;
}

const INDEX = /^(?:\d+|length)$/;

/** The predicates as a tree of the steps of their paths. */
function branchOf(segment: string, predicates: readonly Predicate[], depth: number): Branch {
  const below = predicates.filter(({ path }) => path.segments.length > depth);
  const groups = Map.groupBy(below, ({ path }) => path.segments[depth] as string);
  return {
    segment,
    here: predicates.filter(({ path }) => path.segments.length === depth),
    branches: [...groups].map(([next, group]) => branchOf(next, group, depth + 1)),
    mayIndex: [...groups.keys()].some((next) => INDEX.test(next)),
  };
}

/** What is absent and may be asks nothing of any element. */
function without(branch: Branch, absent: ReadonlySet<Predicate>): Branch | undefined {
  const here = branch.here.filter((predicate) => !absent.has(predicate));
  const branches = branch.branches.flatMap((next) => without(next, absent) ?? []);
  return here.length + branches.length === 0 ? undefined : { ...branch, here, branches };
}

/** One search through an event. */
class Search {
  /** The lists in which each branch was looked for in vain: lists in lists lead there anew. */
  readonly #failed = new Map<Branch, Set<unknown>>();
  readonly #rests = new Map<Branch, Map<string, Branch>>();

  holds(branch: Branch, value: unknown): boolean {
    if (Array.isArray(value)) {
      if (branch.mayIndex) return this.#holdsByIndex(branch, value);
      return value.some((element) => this.holds(branch, element));
    }
    const { here, branches } = branch;
    if (here.length > 0) {
      if (!isLeaf(value)) return false;
      const leaf = plainValue(value);
      if (!here.every((predicate) => predicate.passes(leaf))) return false;
    }
    return branches.every((next) => {
      const child = childOf(value, next.segment);
      return child !== undefined && this.holds(next, child);
    });
  }

  /**
   * One element must satisfy all predicates on the array but those that name their element by its
   * index.
   */
  #holdsByIndex(branch: Branch, array: readonly unknown[]): boolean {
    const failed = this.#failed.get(branch) ?? new Set();
    if (failed.has(array)) return false;
    const open = branch.branches.filter((next) => {
      const element = childOf(array, next.segment);
      return element === undefined || !this.holds(next, element);
    });
    if (open.length === 0 && branch.here.length === 0) return true;
    const rest = this.#rest(branch, open);
    if (array.some((element) => this.holds(rest, element))) return true;
    this.#failed.set(branch, failed.add(array));
    return false;
  }

  #rest(branch: Branch, open: readonly Branch[]): Branch {
    if (open.length === branch.branches.length) return branch;
    const name = open.map(({ segment }) => segment).join("\0");
    const rests = this.#rests.get(branch) ?? new Map<string, Branch>();
    const rest = rests.get(name) ?? { ...branch, branches: open };
    this.#rests.set(branch, rests.set(name, rest));
    return rest;
  }
}

/** Whether predicates that hold one by one hold together. */
export type JointTest = (reading: Reading) => boolean;

/**
 * Those whose paths lead through the same array hold for the same element of it (event-ruler's
 * array consistency). The time is bounded by the size of the event times the number of predicates.
 * Undefined where no two can share an array.
 */
export function compileJointly(predicates: readonly Predicate[]): JointTest | undefined {
  if (predicates.length < 2) return undefined;
  const lists = predicates.filter(({ exact }) => !exact);
  const sharing = [...Map.groupBy(lists, rootOf).values()]
    .filter(({ length }) => length > 1)
    .flat();
  if (sharing.length === 0) return undefined;
  const root = branchOf("", sharing, 0);
  const mayLack = sharing.filter(({ orAbsent }) => orAbsent);
  return (reading) => {
    if (sharing.every(({ path }) => path.many(reading) === undefined)) return true;
    const absent = mayLack.filter(({ path }) => !path.hasLeaf(reading));
    const asked = absent.length === 0 ? root : without(root, new Set(absent));
    return asked === undefined || new Search().holds(asked, reading.event);
  };
}
