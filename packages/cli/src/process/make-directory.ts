import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import path from "node:path";
import { hasCode, messageOf } from "@orgloop/sdk";
import { CommandError } from "../command-error.ts";

/**
 * Makes a directory with its missing parents; fine where it exists. One after the other: Node's
 * recursive mkdir never ends where the system says ENOENT though the parent is there, as in /proc.
 * Throws `NOT_MADE`.
 */
export async function makeDirectory(directory: string, options: { mode?: number } = {}) {
  const parent = path.dirname(directory);
  if (!existsSync(parent)) await makeDirectory(parent, options);
  try {
    await mkdir(directory, options);
  } catch (error) {
    const there = hasCode(error, "EEXIST");
    if (there && (await stat(directory)).isDirectory()) return;
    const why = there ? "a file is in its place" : messageOf(error);
    throw new CommandError("NOT_MADE", `the directory ${directory} cannot be made: ${why}`, {
      cause: error,
    });
  }
}
