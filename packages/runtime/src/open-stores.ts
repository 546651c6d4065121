import { resolve } from "node:path";
import type {
  CheckpointStore,
  ClaimStore,
  DeadLetterStore,
  DefaultsSpec,
  RouteStateStore,
} from "@orgloop/sdk";
import {
  fileCheckpoints,
  fileClaims,
  fileDeadLetters,
  fileRouteStates,
  memoryCheckpoints,
} from "@orgloop/stores";
import type { DataDir } from "./claim-data-dir.ts";

export interface Stores {
  readonly checkpoints: CheckpointStore;
  readonly deadLetters: DeadLetterStore;
  readonly claims: ClaimStore;
  readonly routeStates: RouteStateStore;
}

export interface OpenStoresOptions {
  readonly dataDir: DataDir;
  readonly projectDir: string;
  readonly checkpoint: DefaultsSpec["checkpoint"];
  readonly now: () => number;
  readonly warn: (message: string) => void;
}

/** The stores of a workspace on this machine. */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { dataDir, projectDir, checkpoint, now, warn } = options;
  const dir =
    checkpoint.dir === undefined ? dataDir.checkpoints : resolve(projectDir, checkpoint.dir);
  const checkpoints =
    checkpoint.store === "memory" ? memoryCheckpoints() : fileCheckpoints({ dir, now });
  const deadLetters = await fileDeadLetters({ dir: dataDir.deadLetters, warn });
  try {
    const claims = await fileClaims({ dir: dataDir.claims });
    const routeStates = await fileRouteStates({ file: dataDir.routeStates, warn });
    return { checkpoints, deadLetters, claims, routeStates };
  } catch (error) {
    await deadLetters.close();
    throw error;
  }
}
