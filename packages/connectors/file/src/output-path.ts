import { lstat, realpath } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve, sep } from "node:path";
import { hasCode, OrgLoopError } from "@orgloop/sdk";

/**
 * Where to write: an absolute path as configured; a relative one from the project, `INVALID_CONFIG`
 * where it, or a link on its way, leads outside.
 */
export async function outputPath(projectDir: string, path: string): Promise<string> {
  if (isAbsolute(path)) return resolve(path);
  const root = await realpath(projectDir);
  const target = resolve(root, path);
  const real = await realExisting(target);
  if (!isInside(root, target) || !isInside(root, real)) {
    throw new OrgLoopError(
      "INVALID_CONFIG",
      `path: ${path} is outside the project; write an absolute path if that is meant`,
    );
  }
  return target;
}

function isInside(root: string, path: string): boolean {
  const inside = relative(root, path);
  return inside !== "" && inside !== ".." && !inside.startsWith(`..${sep}`) && !isAbsolute(inside);
}

/** The real path, its part that does not exist yet taken as it stands. */
async function realExisting(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (!hasCode(error, "ENOENT") || dirname(path) === path) throw error;
    // A link to nothing: opening it for writing would create the file that it names.
    if (await exists(path)) throw error;
    return resolve(await realExisting(dirname(path)), relative(dirname(path), path));
  }
}

async function exists(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}
