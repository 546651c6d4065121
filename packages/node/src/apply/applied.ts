import { setImmediate } from "node:timers/promises";
import { restartedSources, topologyHash } from "@orgloop/config";
import type { FileSystem } from "@orgloop/files";
import { type CheckpointStore, type LogEntry, messageOf, type Topology } from "@orgloop/sdk";
import { type AppliedState, writeAppliedState } from "@orgloop/stores";
import type { RepeatMemory } from "../intake/repeats.ts";

export interface KeepAppliedOptions {
  readonly dataDir: string;
  readonly fileSystem: FileSystem;
  /** What was applied before; null: nothing ever was. */
  readonly before: AppliedState | null;
  /** References unresolved, secrets that are written out sealed. */
  readonly topology: Topology;
  /** Seals what an earlier version has kept as it was written. */
  readonly seal: (topology: Topology) => Topology;
  readonly checkpoints: CheckpointStore;
  readonly repeats: Pick<RepeatMemory, "forget">;
  readonly now: () => number;
}

/**
 * Makes `topology` the applied state: the serial counts on where it differs from what was applied.
 * A source that it adds, or gives to another connector, starts anew, whatever checkpoint an
 * interrupted removal has left, and whatever it has sent before. Rejects, and keeps the state as it
 * was, where the disk does not take it.
 */
export async function keepApplied(options: KeepAppliedOptions): Promise<AppliedState> {
  const { dataDir, fileSystem, before, topology, seal, checkpoints, repeats, now } = options;
  const hash = topologyHash(topology);
  if (before?.hash === hash) return before;
  await setImmediate();
  const sealed = before && seal(before.topology);
  if (before !== null && sealed !== before.topology && sealed && topologyHash(sealed) === hash) {
    const same: AppliedState = { ...before, hash, topology: sealed };
    await writeAppliedState(dataDir, same, fileSystem);
    return same;
  }
  if (before !== null) {
    for (const id of restartedSources(topology, before.topology)) {
      await checkpoints.delete(id);
      await repeats.forget(id);
    }
  }
  const serial = (before?.serial ?? 0) + 1;
  const applied_at = new Date(now()).toISOString();
  const state: AppliedState = { format_version: "1.0", serial, hash, applied_at, topology };
  await writeAppliedState(dataDir, state, fileSystem);
  return state;
}

/** Ids of the sources that are in `from` and not in `to`. */
export function removedSources(from: Topology, to: Topology): readonly string[] {
  const kept = new Set(to.sources.map(({ id }) => id));
  return from.sources.map(({ id }) => id).filter((id) => !kept.has(id));
}

/**
 * Forgets the checkpoint of a source that is gone. Where the disk does not let it, its return does
 * ({@link keepApplied}).
 */
export async function forgetCheckpoint(
  id: string,
  checkpoints: CheckpointStore,
  log: (entry: Omit<LogEntry, "timestamp">) => void,
): Promise<void> {
  try {
    await checkpoints.delete(id);
  } catch (error) {
    const message = `the checkpoint of this removed source could not be deleted: ${messageOf(error)}`;
    log({ phase: "system.error", source: id, error: message });
  }
}
