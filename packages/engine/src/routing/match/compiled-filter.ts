import { type Conjunction, multiplyOut } from "./conjunction.ts";
import type { Reading } from "./event-path.ts";
import { compileJointly, type JointTest } from "./joint-conditions.ts";
import type { Predicate } from "./predicate.ts";

/** A conjunction as it is decided: all of it must hold. */
export interface Clause {
  readonly predicates: readonly Predicate[];
  readonly jointly: JointTest | undefined;
  /** One of these must hold, each by one of its clauses; undefined: there is no choice. */
  readonly choice: readonly Clause[] | undefined;
}

/** What the index asks of a filter. */
export type FilterTest = Pick<CompiledFilter, "clauses" | "holds">;

/** A filter as the matcher asks it: one of its clauses must hold. */
export class CompiledFilter {
  readonly clauses: readonly Clause[];
  #turn = 0;
  #held = false;

  constructor(conjunction: Conjunction) {
    this.clauses = clausesOf(conjunction);
  }

  /** Decided once a reading. */
  holds(reading: Reading): boolean {
    if (this.#turn !== reading.turn) {
      this.#held = anyHolds(this.clauses, reading);
      this.#turn = reading.turn;
    }
    return this.#held;
  }
}

function clausesOf(conjunction: Conjunction): readonly Clause[] {
  return multiplyOut(conjunction).map(({ predicates, choice }) => ({
    predicates,
    jointly: compileJointly(predicates),
    choice: choice?.flatMap(clausesOf),
  }));
}

function anyHolds(clauses: readonly Clause[], reading: Reading): boolean {
  for (const clause of clauses) if (clauseHolds(clause, reading)) return true;
  return false;
}

function clauseHolds({ predicates, jointly, choice }: Clause, reading: Reading): boolean {
  for (const predicate of predicates) if (!predicate.holds(reading)) return false;
  if (jointly !== undefined && !jointly(reading)) return false;
  return choice === undefined || anyHolds(choice, reading);
}
