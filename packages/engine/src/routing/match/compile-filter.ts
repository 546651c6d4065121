import {
  type Filter,
  OrgLoopError,
  type OrgLoopEvent,
  splitPath,
  withPlainNumbers,
} from "@orgloop/sdk";
import { checkFilter } from "./check-filter.ts";
import { type Conjunction, multiplyOut, takeApart } from "./conjunction.ts";
import { Reading } from "./event-path.ts";
import { compileJointly, type JointTest } from "./joint-conditions.ts";
import type { Predicate } from "./predicate.ts";
import { Vocabulary } from "./vocabulary.ts";

/** Decides over an event. */
export type EventTest = (event: OrgLoopEvent) => boolean;

/** A conjunction as it is decided: all of it must hold. */
interface Clause {
  readonly predicates: readonly Predicate[];
  readonly jointly: JointTest | undefined;
  /** One of these must hold, each by one of its clauses; undefined: there is no choice. */
  readonly choice: readonly Clause[] | undefined;
}

/** The clauses of which one must hold. */
function clausesOf(conjunction: Conjunction): readonly Clause[] {
  return multiplyOut(conjunction).map(({ predicates, choice }) => ({
    predicates,
    jointly: compileJointly(predicates),
    choice: choice?.flatMap(clausesOf),
  }));
}

function clauseHolds({ predicates, jointly, choice }: Clause, reading: Reading): boolean {
  for (const predicate of predicates) if (!predicate.holds(reading)) return false;
  if (jointly !== undefined && !jointly(reading)) return false;
  return choice === undefined || choice.some((clause) => clauseHolds(clause, reading));
}

/** A filter as the matcher asks it. */
export class CompiledFilter {
  readonly clauses: readonly Clause[];

  /** Of a filter that `checkFilter` finds nothing wrong with. */
  constructor(filter: Filter, vocabulary: Vocabulary) {
    this.clauses = clausesOf(takeApart(filter, vocabulary));
  }

  holds(reading: Reading): boolean {
    return this.clauses.some((clause) => clauseHolds(clause, reading));
  }
}

/**
 * An event's numbers are compared as the doubles that they are nearest to, and so are the filter's.
 * Throws `INVALID_FILTER`, `INVALID_PATH`.
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

/**
 * A route's filter as a test: every entry must hold. A scalar is v1alpha1's strict equality at
 * exactly that path; a list holds scalars and content operators, of which one must hold for one
 * leaf, and takes arrays apart, so that the conditions on one array hold for one element of it
 * together (`docs/configuration.md`, Filters). Throws `INVALID_FILTER`, `INVALID_PATH`.
 */
export function compileFilter(written: Filter): EventTest {
  const compiled = new CompiledFilter(soundFilter(written), new Vocabulary());
  return (event) => compiled.holds(new Reading(event));
}
