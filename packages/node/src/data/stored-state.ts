import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { hasCode, messageOf, type Topology } from "@orgloop/sdk";

export interface StoredStateOptions {
  /** Null where the configuration has errors: then no checkpoint is read. */
  readonly topology: Topology | null;
  readonly projectDir: string;
  readonly dataDir: string;
}

/** What a data directory holds while no process runs on it. */
export interface StoredState {
  /**
   * By source; only those that have one that can be read (`doctor` and `start` tell of the others).
   */
  readonly checkpoints: ReadonlyMap<string, string>;
  /** Null where the log is damaged. */
  readonly unacked: number | null;
  /** What is wrong with the log, and what to do; null: nothing. */
  readonly damage: string | null;
  readonly deadLetters: number;
  /** Events in inboxes. */
  readonly inbox: number;
}

/** Reads only, locks nothing: asking must not get in the way of a process that starts. */
export async function readStoredState(options: StoredStateOptions): Promise<StoredState> {
  const { topology, dataDir } = options;
  const { countStoredEntries, countStoredLetters } = await import("@orgloop/stores");
  return {
    checkpoints: await readCheckpoints(options),
    ...(topology?.bus.url === "file"
      ? await countUnacked(join(dataDir, "wal"))
      : { unacked: 0, damage: null }),
    deadLetters: await countStoredLetters(join(dataDir, "dead-letters")),
    inbox: await countStoredEntries(join(dataDir, "inbox")),
  };
}

async function readCheckpoints({ topology, projectDir, dataDir }: StoredStateOptions) {
  const checkpoints = new Map<string, string>();
  if (topology === null || topology.defaults.checkpoint.store === "memory") return checkpoints;
  const { dir } = topology.defaults.checkpoint;
  const { fileCheckpoints } = await import("@orgloop/stores");
  const store = fileCheckpoints({
    dir: dir === undefined ? join(dataDir, "checkpoints") : resolve(projectDir, dir),
  });
  for (const { id } of topology.sources) {
    const checkpoint = await store.get(id).catch(() => null);
    if (checkpoint !== null) checkpoints.set(id, checkpoint);
  }
  return checkpoints;
}

async function countUnacked(dir: string): Promise<Pick<StoredState, "unacked" | "damage">> {
  if (!existsSync(dir)) return { unacked: 0, damage: null };
  const { walStats } = await import("@orgloop/bus/file");
  try {
    const { unsettled } = await walStats(dir);
    return { unacked: unsettled, damage: null };
  } catch (error) {
    if (!hasCode(error, "WAL_CORRUPT")) throw error;
    return { unacked: null, damage: messageOf(error) };
  }
}
