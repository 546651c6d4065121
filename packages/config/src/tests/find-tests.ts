import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { OrgLoopError } from "@orgloop/sdk";

/** Folders nested deeper than this are not searched. */
const MAX_DEPTH = 32;

const isTest = (name: string) => /\.test\.ya?ml$/.test(name);

/**
 * The test files (`*.test.yaml`) that `path` means: itself, or those below it in the order of their
 * paths; what packages and hidden folders hold is not looked at. Absolute. Throws `NO_FILE` where
 * there is nothing of that name, `NO_TEST` for a file that is none.
 */
export function findTests(path: string): string[] {
  const absolute = resolve(path);
  const stats = statSync(absolute, { throwIfNoEntry: false });
  if (stats === undefined) throw new OrgLoopError("NO_FILE", `there is no file or folder ${path}`);
  if (stats.isDirectory()) return testsBelow(absolute, 0);
  if (isTest(absolute)) return [absolute];
  const message = `${path} is no test: the name of one ends in .test.yaml`;
  throw new OrgLoopError("NO_TEST", message);
}

function testsBelow(folder: string, depth: number): string[] {
  if (depth > MAX_DEPTH) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isFile()) return isTest(entry.name) ? [path] : [];
      const searched = !entry.name.startsWith(".") && entry.name !== "node_modules";
      return entry.isDirectory() && searched ? testsBelow(path, depth + 1) : [];
    });
}

/** What a test file lies in. All absolute. */
export interface TestedFolder {
  readonly kind: "project" | "module";
  /** The folder of the project or the module. */
  readonly folder: string;
  /** The project, also around a module; a module that lies in none has the folder around it. */
  readonly root: string;
}

/** The nearest module or project around `file`; undefined where there is neither. */
export function testedFolder(file: string): TestedFolder | undefined {
  for (let at = dirname(file); ; at = dirname(at)) {
    if (existsSync(join(at, "orgloop-module.yaml"))) {
      return { kind: "module", folder: at, root: projectAround(dirname(at)) ?? dirname(at) };
    }
    if (isProject(at)) return { kind: "project", folder: at, root: at };
    if (dirname(at) === at) return undefined;
  }
}

const isProject = (folder: string) =>
  existsSync(join(folder, "orgloop.yaml")) || existsSync(join(folder, "orgloop.yml"));

function projectAround(folder: string): string | undefined {
  if (isProject(folder)) return folder;
  // A package's module is tested beside the packages that it may use.
  if (basename(folder) === "node_modules" || dirname(folder) === folder) return undefined;
  return projectAround(dirname(folder));
}
