import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where what the tests install stands: in the checkout, ignored by git. */
export const TOOLS = path.resolve(import.meta.dirname, "../../.tools");

/**
 * A folder in `.tools/` that `fill` has filled, kept for the next run. The name has the digest of `recipe`, so that another
 * recipe is another folder. Runs at the same time each fill their own and one wins, so nobody waits on a lock.
 */
export async function filledOnce(
  name: string,
  recipe: string,
  fill: (directory: string) => Promise<void>,
): Promise<string> {
  const digest = createHash("sha256").update(recipe).digest("hex").slice(0, 8);
  const finished = path.join(TOOLS, `${name}-${digest}`);
  if (existsSync(finished)) return finished;
  const partial = `${finished}.${process.pid}`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  await fill(partial);
  await rename(partial, finished).catch((error: unknown) => {
    if (!existsSync(finished)) throw error;
  });
  return finished;
}

/** The pinned packages of a requirements file, as a folder for PYTHONPATH. */
export async function pythonPackages(name: string, requirements: string): Promise<string> {
  return filledOnce(name, await readFile(requirements, "utf8"), async (directory) => {
    const options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"];
    const args = ["-m", "pip", "install", ...options, "--target", directory, "-r", requirements];
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
