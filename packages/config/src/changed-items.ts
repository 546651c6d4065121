import { isMapping } from "./document-path.ts";

/**
 * A group without the items of its lists that `before` has as well. The first of each list stays: a schema may ask for one. What is no
 * group is given back as it is.
 */
export function changedItems(group: unknown, before: unknown): unknown {
  if (!isMapping(group) || !isMapping(before)) return group;
  return Object.fromEntries(
    Object.entries(group).map(([key, list]) => {
      const known = Object.hasOwn(before, key) ? before[key] : undefined;
      if (!Array.isArray(list) || !Array.isArray(known)) return [key, list];
      const texts = new Set(known.map((item) => JSON.stringify(item)));
      return [key, list.filter((item, at) => at === 0 || !texts.has(JSON.stringify(item)))];
    }),
  );
}
