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

const isAbsence = (element: unknown) => isMapping(element) && element.exists === false;

let predicates = 0;

/**
 * One entry of a filter: a path and what must stand there. Filters that say the same share one, and
 * it is decided once a reading.
 */
export class Predicate {
  readonly id: number;
  readonly path: EventPath;
  /** A scalar: equal at exactly the path, no array taken apart. */
  readonly exact: boolean;
  /** Whether it holds where there is no leaf: `exists: false` is among its alternatives. */
  readonly orAbsent: boolean;
  readonly #wanted: readonly unknown[];
  #test: LeafTest | undefined;
  #turn = 0;
  #held = false;

  /** `wanted`: an entry's value, sound. */
  constructor(path: EventPath, wanted: unknown) {
    predicates += 1;
    this.id = predicates;
    this.path = path;
    this.exact = !Array.isArray(wanted);
    this.#wanted = Array.isArray(wanted) ? wanted : [wanted];
    this.orAbsent = this.#wanted.some(isAbsence);
  }

  /** `equals` or an operator's name; `any of`: it is a list of several. */
  get operator(): string {
    return this.#wanted.length === 1 ? alternativeOf(this.#wanted[0]).name : "any of";
  }

  /** Of its operator; of several, the list. */
  get operand(): unknown {
    return this.#wanted.length === 1 ? alternativeOf(this.#wanted[0]).operand : this.#wanted;
  }

  /** What it expects, in words: `"opened" or text that begins with "re"`. */
  get expected(): string {
    const alternatives = this.#wanted.map(alternativeOf);
    return alternatives.map(({ operator, operand }) => operator.describe(operand)).join(" or ");
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

  /** Whether one leaf passes. */
  passes(leaf: unknown): boolean {
    this.#test ??= anyOf(this.#wanted);
    return this.#test(leaf);
  }

  /**
   * Of each of its alternatives (at most `limit`) the keys that every leaf has that passes it;
   * those that none can pass, and absence, are left out. Null: of some alternative no key is known.
   */
  keys(limit = this.#wanted.length): readonly (readonly Key[])[] | null {
    const all: (readonly Key[])[] = [];
    for (const element of this.#wanted) {
      if (all.length >= limit && !isMapping(element)) continue;
      if (isAbsence(element)) continue;
      const { operator, operand } = alternativeOf(element);
      const keys = operator.keys(operand);
      if (keys?.length === 0) return null;
      if (keys !== null && all.length < limit) all.push(keys);
    }
    return all;
  }

  /** How many alternatives it has. */
  get size(): number {
    return this.#wanted.length;
  }

  #decide(reading: Reading): boolean {
    if (this.exact) return this.#wanted[0] === this.path.exact(reading);
    const many = this.path.many(reading);
    if (many !== undefined) {
      return many.length === 0 ? this.orAbsent : many.some((leaf) => this.passes(leaf));
    }
    const one = this.path.one(reading);
    return one === undefined ? this.orAbsent : this.passes(one);
  }
}

/** More than these are looked up in a set. */
const MAX_LISTED = 8;

function anyOf(wanted: readonly unknown[]): LeafTest {
  const scalars = wanted.filter((element) => !isMapping(element));
  const others = wanted.filter(isMapping).map(alternativeOf);
  const tests = others.map(({ operator, operand }) => operator.test(operand));
  const set = new Set(scalars.length > MAX_LISTED ? scalars : []);
  const isScalar: LeafTest =
    set.size > 0 ? (leaf) => set.has(leaf) : (leaf) => scalars.includes(leaf);
  const [first] = tests;
  if (tests.length === 0) return isScalar;
  if (tests.length === 1 && first !== undefined && scalars.length === 0) return first;
  return (leaf) => isScalar(leaf) || tests.some((test) => test(leaf));
}
