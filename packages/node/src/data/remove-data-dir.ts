import { existsSync } from "node:fs";
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";

/** Everything that a process keeps in its data directory. */
const OURS = [
  "attempt-starts.jsonl",
  "checkpoints",
  "claims",
  "dead-letters",
  "events",
  "format.json",
  "inbox",
  "lock.json",
  "log",
  "owner.json",
  "process.json",
  "repeats",
  "route-state.json",
  "route-state.jsonl",
  "secret.key",
  "state.json",
  "wal",
];

/**
 * Also what lies beside one of them: its mark, damaged lines that were kept, what a replacement has
 * left.
 */
const isOurs = (name: string): boolean =>
  OURS.some(
    (ours) =>
      name === ours || (name.startsWith(`${ours}.`) && /\.(mark|tmp|damaged-.*)$/.test(name)),
  );

/**
 * Deletes the state that a project keeps in a data directory, and the directory where nothing else
 * lies in it. Resolves with what was left there; null where there was no directory. Throws `LOCKED`
 * where a process runs on it, and `DATA_DIR_OWNED` where it is another project's.
 */
export async function removeDataDir(
  dir: string,
  project: string,
): Promise<readonly string[] | null> {
  if (!existsSync(dir)) return null;
  const { lockDirectory } = await import("@orgloop/files");
  const { requireOwner } = await import("./claim-data-dir.ts");
  const lock = await lockDirectory(dir, { purpose: "workspace delete" });
  try {
    await requireOwner(dir, project);
    for (const name of await readdir(dir)) {
      if (isOurs(name)) await rm(join(dir, name), { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
  await rm(join(dir, "lock.db"), { force: true });
  const left = await readdir(dir);
  if (left.length === 0) await rmdir(dir);
  return left;
}
