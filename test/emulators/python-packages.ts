import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { filledOnce } from "./filled-once.ts";

const run = promisify(execFile);

/** The pinned packages of a requirements file, as a folder for PYTHONPATH. */
export async function pythonPackages(name: string, requirementsFile: string): Promise<string> {
  const requirements = await readFile(requirementsFile, "utf8");
  return filledOnce(name, requirements, async (directory) => {
    const quietly = ["--quiet", "--disable-pip-version-check", "--root-user-action=ignore"];
    const exactly = ["--no-deps", "--only-binary=:all:", "-r", requirementsFile];
    const args = ["-m", "pip", "install", ...quietly, ...exactly, "--target", directory];
    try {
      await run("python3", args);
    } catch (error) {
      throw new Error(
        `${name} cannot be installed: it needs python3 (3.10 or later) with pip, and PyPI within reach`,
        { cause: error },
      );
    }
  });
}
