import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { nodeFileSystem, replaceFile } from "@orgloop/files";
import { hasCode } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";
import { realProjectDirectory } from "./project-directory.ts";

/** What holds where nothing was selected. */
export const DEFAULT = "default";

/**
 * The workspace that was selected for a project. It is kept in
 * `$ORGLOOP_HOME/selected-workspaces/`, one file a project directory: the choice is a person's, not
 * the repository's. Throws `SELECTION_UNREADABLE`: going on with another workspace than the one
 * selected could change the wrong one.
 */
export function selectedWorkspace(home: string, config: string): string {
  const file = selectionFile(home, config);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT")) return DEFAULT;
    throw unreadable(file, error);
  }
  try {
    const { workspace } = JSON.parse(text);
    if (typeof workspace === "string") return workspace;
  } catch (error) {
    throw unreadable(file, error);
  }
  throw unreadable(file, undefined);
}

/** Selects it; it is the caller who knows that it exists. */
export async function selectWorkspace(
  home: string,
  config: string,
  workspace: string,
): Promise<void> {
  const file = selectionFile(home, config);
  await nodeFileSystem.makeDirectory(path.dirname(file));
  const project = realProjectDirectory(config);
  await replaceFile(file, `${JSON.stringify({ project, workspace })}\n`);
}

function selectionFile(home: string, config: string): string {
  const directory = realProjectDirectory(config);
  const hash = createHash("sha256").update(directory).digest("hex").slice(0, 16);
  return path.join(home, "selected-workspaces", `${hash}.json`);
}

function unreadable(file: string, cause: unknown): CommandError {
  const message = `${file} cannot be read, so that it is not known which workspace is selected: name one with --workspace, or delete the file`;
  return new CommandError("SELECTION_UNREADABLE", message, { cause });
}
