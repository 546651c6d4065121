import type { Filter } from "@orgloop/sdk";
import type { Predicate } from "./predicate.ts";

/** A filter, or a branch of one: all of it must hold. */
export interface Conjunction {
  /** In the order in which they are written. */
  readonly predicates: readonly Predicate[];
  /** The branches of `$or`, of which one must hold. */
  readonly choice: readonly Conjunction[] | undefined;
}

/** Of a filter that is sound. */
export function takeApart(
  filter: Filter,
  predicateOf: (path: string, value: unknown) => Predicate,
): Conjunction {
  const predicates: Predicate[] = [];
  let choice: Conjunction[] | undefined;
  for (const [key, value] of Object.entries(filter)) {
    if (key === "$or") {
      choice = (value as readonly Filter[]).map((branch) => takeApart(branch, predicateOf));
    } else predicates.push(predicateOf(key, value));
  }
  return { predicates, choice };
}

/** Tells it from all others of the same predicates: a text of their numbers. */
export function nameOf({ predicates, choice }: Conjunction): string {
  const own = predicates.map(({ id }) => id).join();
  return choice === undefined ? own : `${own}(${choice.map(nameOf).join("|")})`;
}

/**
 * Where an array that two paths share may begin at the earliest: below an event's own keys, since
 * none of these is one.
 */
export function rootOf({ path: { segments } }: Predicate): string {
  return `${segments[0]}\0${segments[1]}`;
}

function roots({ predicates, choice = [] }: Conjunction): Set<string> {
  const own = predicates.filter(({ exact }) => !exact).map(rootOf);
  return new Set([...own, ...choice.flatMap((branch) => [...roots(branch)])]);
}

/**
 * The conjunctions of which one must hold instead. A choice that may share an array with the rest
 * is multiplied out, since the element that holds for the branch must hold for the rest, too; any
 * other stays. They are no more than the branches written.
 */
export function multiplyOut(conjunction: Conjunction): readonly Conjunction[] {
  const { predicates, choice } = conjunction;
  if (choice === undefined) return [conjunction];
  const above = roots({ predicates, choice: undefined });
  if (choice.every((branch) => above.isDisjointFrom(roots(branch)))) return [conjunction];
  return choice.flatMap((branch) =>
    multiplyOut({ predicates: [...predicates, ...branch.predicates], choice: branch.choice }),
  );
}
