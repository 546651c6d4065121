import type { LoadedTests, TestCase } from "@orgloop/config/tests";
import type { Trial } from "@orgloop/node";
import { messageOf, type Topology } from "@orgloop/sdk";
import { compare, type Difference } from "./compare.ts";

/** What became of one test. */
export interface TestResult {
  /** As `LoadedTests` has it. */
  readonly file: string;
  readonly line: number;
  readonly name: string;
  readonly failures: readonly TestFailure[];
  /** Names of the routes that took one of its events, whatever became of it then. */
  readonly reached: ReadonlySet<string>;
  readonly durationMs: number;
}

export interface TestFailure extends Difference {
  /** From 1; which event of the test it is about. */
  readonly step: number;
}

/** Runs the cases of a file one after the other, each with stores of its own. */
export async function runTests(
  { file, cases }: LoadedTests,
  begun: (name: string) => void,
): Promise<TestResult[]> {
  const { loadTrial } = await import("@orgloop/node");
  const { trialOf, eventPasses } = await loadTrial();
  const trials = new Map<Topology, () => Trial>();
  const results: TestResult[] = [];
  for (const one of cases) {
    begun(one.name);
    const begin = trials.get(one.topology) ?? trialOf(one);
    trials.set(one.topology, begin);
    const startMs = performance.now();
    const reached = new Set<string>();
    const failures = await runCase(one, begin(), reached);
    const durationMs = performance.now() - startMs;
    results.push({ file, line: one.line, name: one.name, failures, reached, durationMs });
  }
  return results;

  async function runCase(
    { steps, topology }: TestCase,
    trial: Trial,
    reached: Set<string>,
  ): Promise<TestFailure[]> {
    const failures: TestFailure[] = [];
    try {
      for (const [at, { event, atMs, expected }] of steps.entries()) {
        const step = at + 1;
        try {
          const tried = await trial.route(event, atMs);
          for (const name of [...tried.routes.keys(), ...tried.failed.keys()]) reached.add(name);
          const found = compare(expected, tried, topology, eventPasses, event);
          failures.push(...found.map((difference) => ({ ...difference, step })));
        } catch (error) {
          const difference = { what: "routing", expected: "no error", got: messageOf(error) };
          failures.push({ ...expected.at(), ...difference, step });
        }
      }
    } finally {
      await trial.close();
    }
    return failures;
  }
}
