import { resolve } from "node:path";
import { inboxDeadline } from "@orgloop/engine";
import { CloseStack } from "@orgloop/files";
import type {
  CheckpointStore,
  ClaimStore,
  DeadLetterStore,
  DefaultsSpec,
  InboxEntry,
  InboxStore,
  RouteStateStore,
} from "@orgloop/sdk";
import {
  fileCheckpoints,
  fileClaims,
  fileDeadLetters,
  fileInbox,
  fileRouteStates,
  memoryCheckpoints,
} from "@orgloop/stores";
import type { Clock } from "../process/clock.ts";
import type { DataDir } from "./claim-data-dir.ts";

export interface Stores {
  readonly checkpoints: CheckpointStore;
  readonly deadLetters: DeadLetterStore;
  readonly claims: ClaimStore;
  readonly inbox: InboxStore;
  readonly routeStates: RouteStateStore;
}

export interface OpenStoresOptions {
  readonly dataDir: DataDir;
  readonly projectDir: string;
  readonly checkpoint: DefaultsSpec["checkpoint"];
  readonly clock: Clock;
  readonly warn: (message: string) => void;
}

/** The stores of a workspace on this machine. */
export async function openStores(options: OpenStoresOptions): Promise<Stores> {
  const { dataDir, projectDir, checkpoint, clock, warn } = options;
  const { fileSystem } = dataDir.disk;
  const on = { fileSystem, warn, made: dataDir.made };
  const dir =
    checkpoint.dir === undefined ? dataDir.checkpoints : resolve(projectDir, checkpoint.dir);
  const now = clock.wall;
  const checkpoints =
    checkpoint.store === "memory" ? memoryCheckpoints() : fileCheckpoints({ dir, now, fileSystem });
  const deadlineOf = (entry: Omit<InboxEntry, "event">): number => inboxDeadline(entry, clock);
  await using opened = new CloseStack();
  const deadLetters = await fileDeadLetters({ dir: dataDir.deadLetters, ...on });
  opened.defer(() => deadLetters.close());
  const claims = await fileClaims({ dir: dataDir.claims, ...on });
  opened.defer(() => claims.close());
  const inbox = await fileInbox({ dir: dataDir.inbox, ...on, deadlineOf });
  opened.defer(() => inbox.close());
  const routeStates = await fileRouteStates({ file: dataDir.routeStates, ...on });
  opened.move();
  return { checkpoints, deadLetters, claims, inbox, routeStates };
}
