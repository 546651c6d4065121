import { access, constants, realpath } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { messageOf, OrgLoopError } from "@orgloop/sdk";

/**
 * The real path of a script. Throws `INVALID_CONFIG` where there is none, it is not executable, or
 * lies, also by a link, outside.
 */
export async function scriptPath(projectDir: string, script: string): Promise<string> {
  let path: string;
  try {
    path = await realpath(resolve(projectDir, script));
    await access(path, constants.X_OK);
  } catch (cause) {
    throw invalid(`${script} cannot be run: ${messageOf(cause)}`, cause);
  }
  const inside = relative(await realpath(projectDir), path);
  const outside = inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside);
  if (outside && !isAbsolute(script)) throw invalid(`${script} is outside the project`);
  return path;
}

function invalid(what: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("INVALID_CONFIG", `script: ${what}`, { cause });
}
