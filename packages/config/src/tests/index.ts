export { findTests } from "./find-tests.ts";
export {
  type LoadedTests,
  loadTests,
  type RoutePlace,
  routePlaces,
  type TestCase,
  type TestStep,
} from "./load-tests.ts";
export type { Expectation, ExpectedOutcome, ExpectedPlace } from "./test-expectation.ts";
