/*
 * Which routes want an event, and why.
 *
 * A filter is taken apart into predicates, one an entry: a path and what must stand there. Routes
 * share most of theirs, so each is kept once (`vocabulary.ts`) and decided once an event. What an
 * operator takes, means, is called and can be looked up by stands once, in `operators.ts`.
 *
 * A route is filed (`filing.ts`) under its source and type, and there under the keys of one access
 * predicate, the one that the fewest others share: values and folded texts in a hash, how a text
 * begins, ends or what it contains in a trie, ranges in a sorted tree. An event looks its leaves up
 * (`path-lookup.ts`), so that it meets only routes that it is likely to match, and the rest of
 * their filters is asked (`compiled-filter.ts`). What has no key, such as `anything-but` alone, is
 * asked always.
 *
 * Lists in events are taken apart, as EventBridge does; conditions on one list must hold for one of
 * its elements together (`joint-conditions.ts`).
 *
 * Nothing of an index changes once it is made. An apply makes the next from it: filters that stand
 * in both are the same objects, and so is the index of each source of which no filter changed.
 */
export { checkFilter } from "./check-filter.ts";
export { compileFilter, type EventTest } from "./compile-filter.ts";
export * from "./compile-matcher.ts";
export { type Contradiction, contradictions } from "./contradictions.ts";
export { type Explanation, explainRoute, type Stop } from "./explain-route.ts";
export type { FilterPath, FilterProblem } from "./filter-problem.ts";
export { isCidr } from "./operators.ts";
