import { isMapping, type OrgLoopEvent } from "@orgloop/sdk";
import { type EventPath, Reading } from "./event-path.ts";
import type { Key } from "./keys.ts";
import type { LeafTest, Operator } from "./operator.ts";
import { EQUALS, OPERATORS } from "./operators.ts";

/** A scalar or an operator with its operand, as an item of a list. */
interface Alternative {
  readonly name: string;
  readonly operator: Operator;
  readonly operand: unknown;
}

function alternativeOf(element: unknown): Alternative {
  if (!isMapping(element)) return { name: "equals", operator: EQUALS, operand: element };
  const [[name, operand] = ["equals", undefined]] = Object.entries(element);
  return { name, operator: OPERATORS[name] ?? EQUALS, operand };
}

const isAbsence = ({ name, operand }: Alternative) => name === "exists" && operand === false;

/**
 * One entry of a filter: a path and what must stand there. Filters that say the same share one, and
 * it is decided once a reading.
 */
export class Predicate {
  /** Tells it from all others: its path and its value. */
  readonly name: string;
  readonly path: EventPath;
  /** A scalar: equal at exactly the path, no array taken apart. */
  readonly exact: boolean;
  /** Whether it holds where there is no leaf: `exists: false` is among its alternatives. */
  readonly orAbsent: boolean;
  /** Whether one leaf passes. */
  readonly passes: LeafTest;
  readonly #alternatives: readonly Alternative[];
  readonly #operand: unknown;
  #turn = 0;
  #held = false;

  /** `operand`: an entry's value, sound. */
  constructor(name: string, path: EventPath, operand: unknown) {
    this.name = name;
    this.path = path;
    this.exact = !Array.isArray(operand);
    this.#operand = operand;
    this.#alternatives = (Array.isArray(operand) ? operand : [operand]).map(alternativeOf);
    this.orAbsent = this.#alternatives.some(isAbsence);
    this.passes = anyOf(this.#alternatives);
  }

  /** `equals` or an operator's name; `any of`: it is a list of several. */
  get operator(): string {
    const [only] = this.#alternatives;
    return only !== undefined && this.#alternatives.length === 1 ? only.name : "any of";
  }

  /** Of its operator; of several, the list. */
  get operand(): unknown {
    const [only] = this.#alternatives;
    return only !== undefined && this.#alternatives.length === 1 ? only.operand : this.#operand;
  }

  /** Whether it holds, apart from what other predicates ask of the same element of an array. */
  holds(reading: Reading): boolean {
    if (this.#turn !== reading.turn) {
      this.#held = this.#decide(reading);
      this.#turn = reading.turn;
    }
    return this.#held;
  }

  /** As {@link holds}, of an event that is not looked at otherwise. */
  test(event: OrgLoopEvent): boolean {
    return this.holds(new Reading(event));
  }

  /** What it expects, in words: `"opened" or text that begins with "re"`. */
  describe(): string {
    return this.#alternatives
      .map(({ operator, operand }) => operator.describe(operand))
      .join(" or ");
  }

  /** The keys of which a leaf there has one where it holds; null: any leaf may do, or none. */
  keys(): readonly Key[] | null {
    return this.orAbsent ? null : this.leafKeys();
  }

  /** The keys of which each leaf that passes has one; null: any leaf may pass. */
  leafKeys(): readonly Key[] | null {
    const all = this.#alternatives
      .filter((one) => !isAbsence(one))
      .map(({ operator, operand }) => operator.keys(operand));
    return all.includes(null) ? null : all.flatMap((keys) => keys ?? []);
  }

  #decide(reading: Reading): boolean {
    if (this.exact) return this.passes(this.path.exact(reading));
    const many = this.path.many(reading);
    if (many !== undefined) return many.length === 0 ? this.orAbsent : many.some(this.passes);
    const one = this.path.one(reading);
    return one === undefined ? this.orAbsent : this.passes(one);
  }
}

function anyOf(alternatives: readonly Alternative[]): LeafTest {
  const values = new Set(
    alternatives.flatMap(({ operator, operand }) => (operator === EQUALS ? [operand] : [])),
  );
  const tests = alternatives.flatMap(({ operator, operand }) =>
    operator === EQUALS ? [] : [operator.test(operand)],
  );
  const [first] = tests;
  if (values.size === 0 && tests.length === 1 && first) return first;
  if (values.size === 0) return (leaf) => tests.some((test) => test(leaf));
  if (tests.length === 0 && values.size === 1) {
    const [value] = values;
    return (leaf) => leaf === value;
  }
  return (leaf) => values.has(leaf) || tests.some((test) => test(leaf));
}
