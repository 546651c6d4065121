import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, rename, rm } from "node:fs/promises";
import path from "node:path";

/** Where what the tests install stands: in the checkout, ignored by git. */
export const TOOLS = path.resolve(import.meta.dirname, "../../.tools");

/**
 * A folder in `.tools/` that `fill` has filled, kept for the next run. The name has the digest of
 * `recipe`, so that another recipe is another folder. Runs at the same time each fill their own and
 * one wins, so nobody waits on a lock.
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
  try {
    await fill(partial);
    await rename(partial, finished);
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    if (!existsSync(finished)) throw error;
  }
  return finished;
}
