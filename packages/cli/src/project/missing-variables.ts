import type { Environment, LoadedProject } from "@orgloop/config";
import { resolveReferences } from "@orgloop/engine";
import type { Topology } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

/**
 * Refuses a topology that needs variables which are not set: a warning in `validate`, an error in
 * `start` (`docs/commands.md`). Prompts are texts, and what is switched off needs nothing.
 */
export function requireVariables(
  topology: Topology,
  project: Pick<LoadedProject, "variables">,
  env: Environment,
): void {
  const routes = topology.routes.map(({ with: _, ...route }) => route);
  const { missing } = resolveReferences({ ...topology, routes }, env);
  if (missing.length === 0) return;
  const { variables } = project;
  const what = missing.length === 1 ? "a variable is" : `${missing.length} variables are`;
  throw new CommandError(
    "MISSING_VARIABLES",
    `${what} not set; set it in the environment or in the project's .env:${missing.map((name) => usesOf(variables, name)).join("")}`,
    { exitStatus: 2 },
  );
}

/**
 * Where the variables that `message` names are used: a line each. For what a running process
 * misses.
 */
export function uncoveredUses(
  { variables }: Pick<LoadedProject, "variables">,
  message: string,
): string {
  const names = new Set(variables.map(({ name }) => name));
  const words = new Set(message.split(/[^\w]+/));
  return [...names]
    .filter((name) => words.has(name))
    .map((name) => usesOf(variables, name))
    .join("");
}

function usesOf(variables: LoadedProject["variables"], name: string): string {
  return variables
    .filter((use) => use.name === name)
    .map(({ file, line, column, path }) => `\n  ${name}: ${file}:${line}:${column} ${path}`)
    .join("");
}
