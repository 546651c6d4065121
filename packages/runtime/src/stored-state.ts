import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { hasCode, type Topology } from "@orgloop/sdk";
import { fileCheckpoints, fileDeadLetters, lockDirectory } from "@orgloop/stores";

/** What a workspace that no process runs has on disk. */
export interface StoredState {
  /** Source id → checkpoint; sources without one are not in it. */
  readonly checkpoints: ReadonlyMap<string, string>;
  readonly deadLetters: number;
}

export interface StoredStateOptions {
  /** Null where the configuration has errors: then no checkpoints are read. */
  readonly topology: Topology | null;
  readonly projectDir: string;
  readonly dataDir: string;
}

/** Reads it, holding the directory's lock meanwhile. Throws `LOCKED` where a process runs; makes nothing that is not there. */
export async function readStoredState(options: StoredStateOptions): Promise<StoredState> {
  const { topology, projectDir, dataDir } = options;
  if (!existsSync(dataDir)) return { checkpoints: new Map(), deadLetters: 0 };
  const lock = await lockDirectory(dataDir);
  try {
    const { store, dir } = topology?.defaults.checkpoint ?? { store: "memory" };
    const stored = fileCheckpoints({
      dir: dir ? resolve(projectDir, dir) : join(dataDir, "checkpoints"),
    });
    const checkpoints = new Map<string, string>();
    for (const { id } of store === "file" ? (topology?.sources ?? []) : []) {
      const checkpoint = await stored.get(id);
      if (checkpoint !== null) checkpoints.set(id, checkpoint);
    }
    return { checkpoints, deadLetters: await countDeadLetters(join(dataDir, "dead-letters")) };
  } finally {
    await lock.release();
  }
}

/** Whether a process works on a data directory now. */
export async function isDataDirHeld(dataDir: string): Promise<boolean> {
  if (!existsSync(join(dataDir, "lock.db"))) return false;
  try {
    await (await lockDirectory(dataDir)).release();
    return false;
  } catch (error) {
    if (hasCode(error, "LOCKED")) return true;
    throw error;
  }
}

async function countDeadLetters(dir: string): Promise<number> {
  if (!existsSync(dir)) return 0;
  const store = await fileDeadLetters({ dir });
  const letters = await store.list();
  await store.close();
  return letters.length;
}
