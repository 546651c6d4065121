import path from "node:path";
import { findTests, type LoadedTests, loadTests } from "@orgloop/config/tests";
import { pluginLookup } from "@orgloop/node";
import type { PluginLookup } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { projectDirectory } from "../project/project-directory.ts";
import { testReport } from "../tests/report.ts";
import { runTests, type TestResult } from "../tests/run-tests.ts";
import { inject } from "./inject.ts";

export interface TestOptions {
  readonly filter?: string;
  readonly dryRun?: boolean;
  /** Of which kind to print an event. */
  readonly generate?: string;
}

/**
 * `orgloop test [PATH]`: the tests of the project, or of a module, folder or file; exit status 0
 * passed, 1 failed, 2 a test or what it tests is invalid. `orgloop test EVENT.json|-` injects, as
 * v1alpha1 has it, or with `--dry-run` says where it would go.
 */
export const test: Command<TestOptions> = async (context, args, options) => {
  const { filter, dryRun = false, generate } = options;
  const [given] = args;
  if (generate !== undefined || dryRun || (given !== undefined && isEvent(given))) {
    const { generateEvent, traceEvents } = await import("./test-event.ts");
    if (generate !== undefined) return generateEvent(context, generate);
    return dryRun ? traceEvents(context, args, {}) : inject(context, args, {});
  }
  const { flags, output } = context;
  const project = projectDirectory(flags.config);
  const files = findTests(given ?? project);
  if (files.length === 0) {
    const where = shown(given === undefined ? project : path.resolve(given));
    throw new CommandError("NO_TESTS", `there are no tests (*.test.yaml) in ${where}`);
  }
  const loaded: LoadedTests[] = [];
  const results: TestResult[] = [];
  for (const file of files) {
    const tests = await loadTests(file, loadOptions(context, project));
    const named = (text: string) => filter === undefined || text.includes(filter);
    const chosen = { ...tests, cases: tests.cases.filter(({ name }) => named(name)) };
    const place = (name: string) => shown(path.resolve(tests.root, name));
    loaded.push({
      ...chosen,
      file: shown(file),
      errors: tests.errors.map((problem) => ({ ...problem, file: place(problem.file) })),
    });
    results.push(
      ...(await runTests({ ...chosen, file: shown(file) }, (name) => output.progress(name))),
    );
  }
  output.progress(null);
  const errors = loaded.flatMap((tests) => tests.errors);
  if (filter !== undefined && results.length === 0 && errors.length === 0) {
    throw new CommandError("NO_TESTS", `no test has "${filter}" in its name`);
  }
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const passed = results.length - failed;
  const tests = results.map(({ failures, ...one }) => ({
    ...one,
    passed: failures.length === 0,
    failures: failures.map((failure) => ({ file: one.file, ...failure })),
  }));
  output.result({ passed, failed, errors, tests }, testReport(results, errors, output));
  if (errors.length > 0) return 2;
  return failed > 0 ? 1 : 0;
};

const isEvent = (given: string) => given === "-" || /\.jsonl?$/.test(given);

const shown = (absolute: string) => path.relative(process.cwd(), absolute) || ".";

function loadOptions({ flags, env }: CommandContext, project: string) {
  const lookups = new Map<string, PluginLookup>();
  const lookup = (projectDir: string): PluginLookup => {
    const known = lookups.get(projectDir) ?? pluginLookup({ projectDir });
    lookups.set(projectDir, known);
    return known;
  };
  const workspace = (projectDir: string) => (projectDir === project ? flags.workspace : undefined);
  return { env, lookup, workspace };
}
