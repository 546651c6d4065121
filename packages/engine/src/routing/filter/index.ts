export { checkFilter } from "./check-filter.ts";
export { compileFilter, type EventTest } from "./compile-filter.ts";
export { isCidr } from "./content-operators.ts";
export type { FilterPath, FilterProblem } from "./filter-problem.ts";
