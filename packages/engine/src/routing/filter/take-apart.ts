import { type Filter, isMapping, splitPath } from "@orgloop/sdk";

/** A path and the alternatives of which one leaf there must satisfy one. */
export interface ListCondition {
  readonly path: readonly string[];
  /** Scalars and operators; `exists: false` is not among them. */
  readonly elements: readonly unknown[];
  /** Whether `exists: false` is one of the alternatives. */
  readonly orAbsent: boolean;
}

/** A filter taken apart: all of it must hold. */
export interface Conjunction {
  /** Equal at exactly this path. */
  readonly equals: readonly { readonly path: readonly string[]; readonly value: unknown }[];
  /** At these paths there is no leaf. */
  readonly absent: readonly (readonly string[])[];
  readonly lists: readonly ListCondition[];
  /** The branches of `$or`, of which one must hold. */
  readonly choice: readonly Conjunction[] | undefined;
}

const isAbsence = (element: unknown) => isMapping(element) && element.exists === false;

/** Of a filter that is sound. */
export function takeApart(filter: Filter): Conjunction {
  const equals: { path: readonly string[]; value: unknown }[] = [];
  const absent: (readonly string[])[] = [];
  const lists: ListCondition[] = [];
  let choice: Conjunction[] | undefined;
  for (const [key, value] of Object.entries(filter)) {
    if (key === "$or") {
      choice = (value as readonly Filter[]).map(takeApart);
      continue;
    }
    const path = splitPath(key);
    if (!Array.isArray(value)) {
      equals.push({ path, value });
      continue;
    }
    const elements = value.filter((element) => !isAbsence(element));
    if (elements.length === 0) absent.push(path);
    else lists.push({ path, elements, orAbsent: elements.length < value.length });
  }
  return { equals, absent, lists, choice };
}

/**
 * Where an array that two paths share may begin at the earliest: below an event's own keys, since
 * none of these is one.
 */
function roots({ lists, choice = [] }: Conjunction): Set<string> {
  const below = choice.flatMap((branch) => [...roots(branch)]);
  return new Set([...lists.map(({ path }) => path.slice(0, 2).join("\0")), ...below]);
}

/**
 * The conjunctions of which one must hold instead. A choice that may share an array with the rest
 * is multiplied out, since the element that holds for the branch must hold for the rest, too; any
 * other stays. They are no more than the branches written.
 */
export function multiplyOut(conjunction: Conjunction): readonly Conjunction[] {
  const { equals, absent, lists, choice } = conjunction;
  if (choice === undefined) return [conjunction];
  const above = roots({ ...conjunction, choice: undefined });
  if (choice.every((branch) => above.isDisjointFrom(roots(branch)))) return [conjunction];
  return choice.flatMap((branch) =>
    multiplyOut({
      equals: [...equals, ...branch.equals],
      absent: [...absent, ...branch.absent],
      lists: [...lists, ...branch.lists],
      choice: branch.choice,
    }),
  );
}
