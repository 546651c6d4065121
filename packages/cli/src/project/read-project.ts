import { type LoadedProject, loadProject } from "@orgloop/config";
import type { Problem, Topology } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { CommandError } from "../command-error.ts";
import { projectDirectory } from "./project-directory.ts";

interface ReadOptions {
  /** Each `config` is checked against its package as well. */
  readonly plugins?: boolean;
  /** The files of the other workspaces are checked as well. */
  readonly everyWorkspace?: boolean;
}

/** Loads the project that the flags name. */
export async function readProject(
  { flags, env }: CommandContext,
  { plugins = false, everyWorkspace = false }: ReadOptions = {},
): Promise<LoadedProject> {
  const options = { path: flags.config, workspace: flags.workspace, env, everyWorkspace };
  if (!plugins) return loadProject(options);
  const { pluginLookup } = await import("@orgloop/node");
  return loadProject({
    ...options,
    lookup: pluginLookup({ projectDir: projectDirectory(flags.config) }),
  });
}

/**
 * Loads the project for commands that need a valid one: its errors are told, and the exit status is
 * 2.
 */
export async function readValidProject(
  context: CommandContext,
  options?: ReadOptions,
): Promise<ValidProject> {
  const project = await readProject(context, options);
  if (!isValid(project)) throw invalidProject(project.errors);
  return project;
}

/** The same for what shows it: with what the packages say of it, where all of them can be asked. */
export async function readShownProject(context: CommandContext): Promise<ValidProject> {
  const project = await readProject(context, { plugins: true });
  return isValid(project) ? project : readValidProject(context);
}

type ValidProject = LoadedProject & { readonly topology: Topology };

const isValid = (project: LoadedProject): project is ValidProject => project.topology !== null;

/** More than these are read nowhere but in `validate`. */
const MAX_ERRORS = 50;

/** The refusal of a project with errors, which names them. */
export function invalidProject(errors: readonly Problem[]): CommandError {
  const shown = errors.slice(0, MAX_ERRORS).map((problem) => `\n  ${problemLine(problem)}`);
  const rest = errors.length - shown.length;
  if (rest > 0) shown.push(`\n  and ${rest} more: \`orgloop validate\` lists them`);
  const listed = shown.join("");
  const count = errors.length === 1 ? "an error" : `${errors.length} errors`;
  return new CommandError("CONFIG_INVALID", `the configuration has ${count}:${listed}`, {
    exitStatus: 2,
  });
}

/** `file:line:column: message`, as compilers and editors have it. */
export function problemLine({ file, line, column, message }: Problem): string {
  return `${file}:${line}:${column}: ${message}`;
}
