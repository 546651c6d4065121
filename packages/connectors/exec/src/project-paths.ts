import { realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { OrgLoopError } from "@orgloop/sdk";

/** A program's name stays as it is (PATH finds it); a relative path is one from the project. */
export function commandPath(projectDir: string, command: string): string {
  return command.includes("/") ? resolve(projectDir, command) : command;
}

/**
 * The real path of a folder of the project. Throws `INVALID_CONFIG` where it does not exist or
 * lies, also by a link, outside.
 */
export async function folderInProject(projectDir: string, folder: string): Promise<string> {
  const root = await realpath(projectDir);
  let path: string;
  try {
    path = await realpath(resolve(projectDir, folder));
  } catch (cause) {
    throw new OrgLoopError("INVALID_CONFIG", `cwd: there is no folder ${folder}`, { cause });
  }
  const inside = relative(root, path);
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new OrgLoopError("INVALID_CONFIG", `cwd: ${folder} is outside the project`);
  }
  return path;
}
