/*
 * Which routes want an event, and why.
 *
 * A filter is taken apart into predicates, one an entry: a path and what must stand there
 * (`predicate.ts`). What an operator takes, means, is called and can be looked up by stands once,
 * in `operators.ts`, for the schema, the matcher, `explainRoute` and `contradictions`.
 */
export { checkFilter } from "./check-filter.ts";
export { compileFilter, type EventTest } from "./compile-filter.ts";
export * from "./compile-matcher.ts";
export { type Contradiction, contradictions } from "./contradictions.ts";
export { type Explanation, explainRoute, type Stop } from "./explain-route.ts";
export type { FilterPath, FilterProblem } from "./filter-problem.ts";
export { isCidr } from "./operators.ts";
