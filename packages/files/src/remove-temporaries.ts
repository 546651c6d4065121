import { join } from "node:path";
import { hasCode } from "@orgloop/sdk";
import type { FileSystem } from "./file-system.ts";

/** What `replaceFile` and rewrites call the file that takes another's place. */
const OURS = /(\.jsonl?|\.\d+-\d+)\.tmp$/;

/**
 * Removes what replacements that a kill has cut off left in a directory, which must be held
 * (`lockDirectory`): nobody reads it. Fine where there is no directory.
 */
export async function removeTemporaries(dir: string, fileSystem: FileSystem): Promise<void> {
  let names: readonly string[] = [];
  try {
    names = await fileSystem.list(dir);
  } catch (error) {
    if (!hasCode(error, "ENOENT") && !hasCode(error, "ENOTDIR")) throw error;
  }
  for (const name of names) {
    if (OURS.test(name)) await fileSystem.remove(join(dir, name)).catch(() => undefined);
  }
}
