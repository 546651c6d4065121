import { DEFAULT_WORKSPACE, type LoadedProject } from "@orgloop/config";
import type { Problem } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { knownWorkspaces } from "./known-workspaces.ts";
import { readProject } from "./read-project.ts";

/** What is wrong with a project, by the workspaces that were looked at. */
export interface WorkspaceProblem extends Problem {
  /** The workspaces that have it; absent where only one was looked at. */
  readonly workspaces?: readonly string[];
}

export interface Problems {
  readonly errors: readonly WorkspaceProblem[];
  readonly warnings: readonly WorkspaceProblem[];
}

/** Every workspace of the project, resolved by itself. Throws `NO_PROJECT`. */
export async function readEveryWorkspace(
  context: CommandContext,
): Promise<readonly { readonly workspace: string; readonly project: LoadedProject }[]> {
  const names = knownWorkspaces(context).workspaces.map(({ name }) => name);
  const loaded = [];
  for (const workspace of names.length === 0 ? [DEFAULT_WORKSPACE] : names) {
    const flags = { ...context.flags, workspace };
    const project = await readProject({ ...context, flags }, { plugins: true });
    loaded.push({ workspace, project });
  }
  return loaded;
}

/** The problems of several workspaces, each once, with the workspaces that have it. */
export function mergedProblems(
  found: readonly { readonly workspace: string; readonly problems: readonly Problem[] }[],
): WorkspaceProblem[] {
  const all = new Map<string, WorkspaceProblem & { readonly workspaces: string[] }>();
  for (const { workspace, problems } of found) {
    for (const problem of problems) {
      const identity = JSON.stringify(problem);
      const known = all.get(identity);
      if (known === undefined) all.set(identity, { ...problem, workspaces: [workspace] });
      else known.workspaces.push(workspace);
    }
  }
  return [...all.values()];
}
