import type { Command } from "../command.ts";
import { findWorkspace, knownWorkspaces } from "../project/known-workspaces.ts";
import { selectWorkspace } from "../project/selected-workspace.ts";

/**
 * `orgloop workspace select NAME`: what every command on this project means from now on, unless
 * `--workspace` says otherwise.
 */
export const workspaceSelect: Command = async (context, [name = ""]) => {
  const { flags, home, output } = context;
  const known = knownWorkspaces(context);
  findWorkspace(known, name);
  await selectWorkspace(home, flags.config, name);
  output.result({ workspace: name, previous: known.selected }, `Switched to workspace "${name}"`);
  return 0;
};
