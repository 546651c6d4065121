import { DEFAULT_WORKSPACE } from "@orgloop/config";
import type { Command } from "../command.ts";
import { knownWorkspaces } from "../project/known-workspaces.ts";

/**
 * `orgloop workspace list`: `default` and every file of `workspaces/`; `*` marks the one that is
 * selected.
 */
export const workspaceList: Command = async (context) => {
  const { selected, workspaces } = knownWorkspaces(context);
  const { output } = context;
  output.result(
    { current: selected, workspaces },
    workspaces
      .map(({ name, current, file }) => {
        const gone = file === null && name !== DEFAULT_WORKSPACE;
        const line = `${current ? "*" : " "} ${name}${gone ? "  (its file is gone)" : ""}`;
        return current ? output.style("green", line) : line;
      })
      .join("\n"),
  );
  return 0;
};
