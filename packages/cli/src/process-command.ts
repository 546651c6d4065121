import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";

/** The command line of a process; null where it cannot be told. */
export async function processCommand(pid: number): Promise<string | null> {
  try {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8")).replaceAll("\0", " ");
  } catch {
    // No Linux, or gone: ps knows.
  }
  try {
    const { stdout } = await promisify(execFile)("ps", ["-p", String(pid), "-o", "args="]);
    return stdout.trim();
  } catch {
    return null;
  }
}
