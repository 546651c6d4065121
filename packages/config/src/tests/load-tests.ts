import { type DocumentPath, resolveReferences } from "@orgloop/engine";
import {
  type OrgLoopEvent,
  type PluginLookup,
  type Problem,
  parseDuration,
  type Topology,
} from "@orgloop/sdk";
import { type ProjectFiles, projectFiles } from "../read/project-files.ts";
import { readDocument } from "../read/read-document.ts";
import { type Environment, readEnvironment } from "../read/read-environment.ts";
import { DEFAULT_WORKSPACE } from "../read/read-workspace.ts";
import { type Findings, toProblems } from "../resolve/findings.ts";
import { loadProject } from "../resolve/load-project.ts";
import { type LoadedProject, resolveProject } from "../resolve/resolve-project.ts";
import type { SourceDocument } from "../resolve/source-document.ts";
import { type CaseInput, type TestInput, testSchema } from "../schema/test-schema.ts";
import { checkSchema } from "../schema/validate-document.ts";
import { type TestedFolder, testedFolder } from "./find-tests.ts";
import { moduleManifest, standInProject } from "./stand-in-project.ts";
import { testEvent } from "./test-event.ts";
import { type Expectation, expectation } from "./test-expectation.ts";
import { type TestNames, testNames } from "./test-names.ts";

const DEFAULT_TIME = "2026-01-01T00:00:00Z";

export interface LoadTestsOptions {
  readonly env: Environment;
  /** Of files that name none, by the directory of their project. Default: `default`. */
  readonly workspace?: (projectDir: string) => string | undefined;
  readonly lookup: (projectDir: string) => PluginLookup;
}

/** One event of a test, and what is to become of it. */
export interface TestStep {
  readonly event: OrgLoopEvent;
  /** When it comes, in ms since the epoch. */
  readonly atMs: number;
  readonly expected: Expectation;
}

export interface TestCase {
  readonly name: string;
  /** From 1. */
  readonly line: number;
  readonly steps: readonly TestStep[];
  /**
   * What is tested; its plugins are found by `lookup`. References of transforms and routes are
   * resolved, where set.
   */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly lookup: PluginLookup;
  /** Where its routes are declared; one list for all tests of one topology. */
  readonly routes: readonly RoutePlace[];
}

/** A route, and where it is declared: in the file of the module that brings it. */
export interface RoutePlace {
  readonly name: string;
  /** As `LoadedTests.file` is named. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The routes of a project that are on, each with its place. */
export function routePlaces({
  routes,
  provenance,
}: Pick<LoadedProject, "routes" | "provenance">): RoutePlace[] {
  return routes.map(({ name }) => {
    const origin = provenance.originOf("route", name);
    const { document, path } = origin?.layers.at(-1) ?? {};
    const place = document?.locate(path ?? []) ?? { line: 1, column: 1 };
    return { name, file: origin?.file ?? "", ...place };
  });
}

/**
 * The tests of one file, and every problem of the file and of what it tests. Files are named from
 * `root`.
 */
export interface LoadedTests {
  readonly file: string;
  /** Absolute. */
  readonly root: string;
  readonly errors: readonly Problem[];
  /** Those without errors. */
  readonly cases: readonly TestCase[];
}

type Tested = LoadedProject & { readonly topology: Topology };

/** Reads a test file and loads what it tests. Never throws for what stands in the files. */
export async function loadTests(file: string, options: LoadTestsOptions): Promise<LoadedTests> {
  const findings: Findings = { errors: [], warnings: [] };
  const found = testedFolder(file);
  const root = found?.root ?? process.cwd();
  const files = projectFiles(root);
  const document = readDocument(files, file, findings);
  const nothing = { file: document.file, root, cases: [] };
  if (found === undefined) {
    const message = "there is no project (orgloop.yaml) and no module around this test";
    findings.errors.push({ document, path: [], at: "value", code: "no-project", message });
  } else checkSchema(document, testSchema, document.value, findings);
  if (found === undefined || document.value === undefined || findings.errors.length > 0) {
    return { ...nothing, errors: toProblems(findings.errors) };
  }
  const input = document.value as TestInput;
  if (found.kind === "project") refuseModule(document, input, findings);
  const problems: Problem[] = [];
  const load = projectLoader(found, document, files, options, problems);
  const cases: TestCase[] = [];
  const places = new Map<Tested, readonly RoutePlace[]>();
  for (const [at, one] of input.tests.entries()) {
    const project = await load(one, at);
    if (project === undefined) continue;
    const path = ["tests", at];
    const instance = found.kind === "module" ? (project.instances[0]?.name ?? null) : null;
    const names = testNames(project, instance, file);
    const routes = places.get(project) ?? routePlaces(project);
    places.set(project, routes);
    const before = findings.errors.length;
    const steps = stepsOf({ document, files, findings, project, names }, input, one, path);
    if (findings.errors.length > before) continue;
    const { projectDir } = project;
    const topology = withReferences(project.topology, readEnvironment(projectDir, options.env));
    const { line } = document.locate(path);
    const lookup = options.lookup(projectDir);
    cases.push({ name: one.name, line, steps, topology, projectDir, lookup, routes });
  }
  return { ...nothing, cases, errors: unique([...toProblems(findings.errors), ...problems]) };
}

/**
 * What a trial runs, `${NAME}` replaced where it is set; nobody needs the secrets of connectors to
 * run tests.
 */
function withReferences(topology: Topology, env: Environment): Topology {
  const { routes, transforms } = topology;
  return { ...topology, ...resolveReferences({ routes, transforms }, env).value };
}

const unique = (problems: readonly Problem[]) => [
  ...new Map(problems.map((one) => [JSON.stringify(one), one])).values(),
];

function refuseModule(document: SourceDocument, input: TestInput, findings: Findings): void {
  const report = (path: DocumentPath) => {
    const message = "this test is about a project: only the tests of a module have parameters";
    findings.errors.push({ document, path, at: "key", code: "no-module", message });
  };
  if (input.module) report(["module"]);
  for (const [at, { params }] of input.tests.entries()) if (params) report(["tests", at, "params"]);
}

/** Loads what a case tests: the project, or the module with the case's parameters; each once. */
function projectLoader(
  found: TestedFolder,
  document: SourceDocument,
  files: ProjectFiles,
  { env, lookup, workspace }: LoadTestsOptions,
  problems: Problem[],
): (one: CaseInput, at: number) => Promise<Tested | undefined> {
  const known = new Map<string, Promise<LoadedProject>>();
  const workspaceName =
    (document.value as TestInput).workspace ?? workspace?.(found.root) ?? DEFAULT_WORKSPACE;
  const project = () =>
    loadProject({ path: found.root, workspace: workspaceName, env, lookup: lookup(found.root) });
  const module = (one: CaseInput, at: number) => {
    const findings: Findings = { errors: [], warnings: [] };
    const own = readDocument(files, moduleManifest(found.folder), findings);
    const params = one.params ?? {};
    const use = { document, manifest: own, folder: found.folder, params, path: ["tests", at] };
    const manifest = standInProject(use);
    const read = { manifest, groups: [], teams: [], workspace: undefined };
    const input = {
      projectDir: found.root,
      manifestFile: document.absolute,
      workspaceName: DEFAULT_WORKSPACE,
      read,
      user: undefined,
      files,
      env: readEnvironment(found.root, env),
      lookup: lookup(found.root),
      standIns: manifest,
    };
    return resolveProject(input, { errors: [], warnings: [] });
  };
  return async (one, at) => {
    const key = found.kind === "module" ? JSON.stringify(one.params ?? {}) : "";
    const loading = known.get(key) ?? (found.kind === "module" ? module(one, at) : project());
    known.set(key, loading);
    const loaded = await loading;
    const { topology } = loaded;
    if (topology !== null) return { ...loaded, topology };
    problems.push(...loaded.errors);
    return undefined;
  };
}

interface StepMaker {
  readonly document: SourceDocument;
  readonly files: ProjectFiles;
  readonly findings: Findings;
  readonly project: Tested;
  readonly names: TestNames;
}

function stepsOf(
  { document, files, findings, project, names }: StepMaker,
  input: TestInput,
  one: CaseInput,
  path: DocumentPath,
): TestStep[] {
  const { topology } = project;
  const steps = one.steps
    ? one.steps.map((step, at) => ({ ...step, path: [...path, "steps", at] }))
    : [{ given: one.given, expect: one.expect, after: undefined, path }];
  let atMs = Date.parse(input.time ?? DEFAULT_TIME);
  return steps.flatMap(({ given, expect, after, path: here }, at) => {
    if (given === undefined || expect === undefined) return [];
    atMs += after === undefined ? 0 : parseDuration(after);
    const event = testEvent({ document, files, findings }, given, [...here, "given"], {
      sources: topology.sources,
      sourceNamed: (name) => names.find("source", name),
      project: topology.project,
      atMs,
      id: `test${path.at(-1)}s${at}`,
    });
    const place = { document, path: [...here, "expect"] };
    const expected = expectation(expect, place, names, findings);
    return event === undefined ? [] : [{ event, atMs, expected }];
  });
}
