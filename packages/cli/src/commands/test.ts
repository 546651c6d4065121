import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import {
  findTests,
  type LoadedTests,
  loadTests,
  type RoutePlace,
  routePlaces,
} from "@orgloop/config/tests";
import { pluginLookup } from "@orgloop/node";
import type { PluginLookup, Problem } from "@orgloop/sdk";
import type { Command, CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { projectDirectory } from "../project/project-directory.ts";
import { readProject } from "../project/read-project.ts";
import { type CoveredTests, coverageLines, coverageOf } from "../tests/coverage.ts";
import { junitXml } from "../tests/junit.ts";
import { testReport } from "../tests/report.ts";
import { runTests, type TestResult } from "../tests/run-tests.ts";
import { inject } from "./inject.ts";

export interface TestOptions {
  readonly filter?: string;
  readonly coverage?: boolean;
  /** The file to write, relative to the working directory. */
  readonly junit?: string;
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
    if (dryRun) return traceEvents(context, args, {});
    context.output.note(
      `${given} is an event: it is put on the bus of the running process; --dry-run only says where it would go`,
    );
    return inject(context, args, {});
  }
  const { flags, output } = context;
  const project = projectDirectory(flags.config);
  const files = findTests(given ?? project);
  if (files.length === 0) {
    const where = shown(given === undefined ? project : path.resolve(given));
    throw new CommandError("NO_TESTS", `there are no tests (*.test.yaml) in ${where}`);
  }
  const { loaded, results } = await runAll(context, files, project, filter);
  output.progress(null);
  const errors = loaded.flatMap((tests) => tests.errors);
  if (filter !== undefined && results.length === 0 && errors.length === 0) {
    throw new CommandError("NO_TESTS", `no test has "${filter}" in its name`);
  }
  if (options.junit !== undefined) await writeJunit(options.junit, results, errors);
  const coverage = options.coverage
    ? coverageOf(loaded, given === undefined ? await ownRoutes(context, project) : [])
    : undefined;
  const failed = results.filter(({ failures }) => failures.length > 0).length;
  const tests = results.map(({ file, line, name, failures }) => ({
    file,
    line,
    name,
    passed: failures.length === 0,
    failures: failures.map((failure) => ({ file, ...failure })),
  }));
  const report = [
    testReport(results, errors, output),
    ...(coverage ? coverageLines(coverage) : []),
  ];
  output.result(
    { passed: results.length - failed, failed, errors, tests, ...(coverage && { coverage }) },
    report.join("\n"),
  );
  if (errors.length > 0) return 2;
  return failed > 0 ? 1 : 0;
};

/** A file of tests that have run. */
type RunTests = LoadedTests & CoveredTests;

async function runAll(
  context: CommandContext,
  files: readonly string[],
  project: string,
  filter: string | undefined,
): Promise<{ readonly loaded: readonly RunTests[]; readonly results: readonly TestResult[] }> {
  const loaded: RunTests[] = [];
  for (const file of files) {
    const tests = await loadTests(file, loadOptions(context, project));
    const named = (text: string) => filter === undefined || text.includes(filter);
    const place = (name: string) => shown(path.resolve(tests.root, name));
    const chosen = {
      ...tests,
      file: shown(file),
      cases: tests.cases.filter(({ name }) => named(name)),
      errors: tests.errors.map((problem) => ({ ...problem, file: place(problem.file) })),
    };
    const results = await runTests(chosen, (name) => context.output.progress(name));
    loaded.push({ ...chosen, results, shown: place });
  }
  return { loaded, results: loaded.flatMap(({ results }) => results as readonly TestResult[]) };
}

/** The routes of the project itself, of which no test need speak. */
async function ownRoutes(context: CommandContext, project: string): Promise<RoutePlace[]> {
  const places = routePlaces(await readProject(context, { plugins: true }));
  return places.map((place) => ({ ...place, file: shown(path.resolve(project, place.file)) }));
}

async function writeJunit(
  file: string,
  results: readonly TestResult[],
  errors: readonly Problem[],
): Promise<void> {
  await mkdir(path.dirname(path.resolve(file)), { recursive: true });
  await writeFile(file, junitXml(results, errors));
}

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
