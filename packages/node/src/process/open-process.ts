import type { KnownSecrets, Published } from "@orgloop/engine";
import { CloseStack } from "@orgloop/files";
import type { Topology } from "@orgloop/sdk";
import type { InUse } from "../apply/in-use.ts";
import { claimDataDir, type DataDir } from "../data/claim-data-dir.ts";
import type { Disk } from "../data/disk.ts";
import { type OpenBus, openBus } from "../data/open-bus.ts";
import { openStores, type Stores } from "../data/open-stores.ts";
import { type OpenRepeatMemory, openRepeatMemory } from "../intake/repeat-memory.ts";
import { closeAll } from "../plugins/open-plugins.ts";
import { type EventLog, type EventLogOptions, eventLog } from "../telemetry/event-log.ts";
import { logFile } from "../telemetry/log-file.ts";
import type { Clock } from "./clock.ts";

export interface OpenProcessOptions extends Pick<EventLogOptions, "onEntry"> {
  readonly clock: Clock;
  /** References resolved. */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly dataDir: string;
  readonly known: KnownSecrets;
  /** Default: what the topology names. */
  readonly openBus?: typeof openBus | undefined;
  /** Default: the machine's. */
  readonly disk?: Disk | undefined;
}

/** All that a process holds open. */
export interface OpenProcess extends Stores {
  readonly log: EventLog["log"];
  readonly journal: Pick<EventLog, "change" | "flush">;
  readonly known: KnownSecrets;
  readonly bus: OpenBus;
  readonly repeats: OpenRepeatMemory;
  readonly dataDir: DataDir;
  /** Sources, actors and transforms that are to be closed with it. */
  readonly plugins: Set<InUse<unknown>>;
  /** Is closed with it, before the others. */
  defer(close: () => Promise<void>): void;
  /** Closes it all, last opened first. */
  close(): Promise<void>;
}

/**
 * Opens data directory, event log, stores and bus; where one of them fails, closes the others and
 * rejects.
 */
export async function openProcess(options: OpenProcessOptions): Promise<OpenProcess> {
  const { topology, projectDir, clock, known } = options;
  const { project, defaults } = topology;
  await using opened = new CloseStack();

  const dataDir = await claimDataDir(options.dataDir, project, projectDir, options.disk);
  opened.defer(() => dataDir.release());

  const { fileSystem } = dataDir.disk;
  const journal = openJournal(options, dataDir);
  opened.defer(() => journal.close());
  const { log } = journal;
  const warn = (message: string): void => log({ phase: "system.error", error: message });

  const { checkpoint, wal } = defaults;
  const stores = await openStores({ dataDir, projectDir, checkpoint, clock, warn });
  opened.defer(() => closeStores(stores));

  const open = options.openBus ?? openBus;
  const repeats = await openRepeatMemory({
    dir: dataDir.repeats,
    fileSystem,
    made: dataDir.made,
    warn,
  });
  opened.defer(() => repeats.close());
  const bus = await open({
    spec: topology.bus,
    wal,
    dir: dataDir.wal,
    disk: dataDir.disk,
    made: dataDir.made,
    log,
    now: clock.now,
    repeats,
  });
  opened.defer(() => bus.close());
  for (const { once } of (await bus.unacked()) as Published[]) {
    if (once !== undefined) repeats.load(once, { settled: false });
  }

  const plugins = new Set<InUse<unknown>>();
  opened.defer(() => closeAll(plugins));

  const kept = opened.move();
  return {
    ...stores,
    repeats,
    dataDir,
    log,
    journal,
    known,
    bus,
    plugins,
    defer: (close) => kept.defer(close),
    close: () => kept.disposeAsync(),
  };
}

async function closeStores({ deadLetters, claims, inbox, routeStates }: Stores): Promise<void> {
  const closing = [deadLetters, claims, inbox, routeStates];
  await Promise.all(closing.map((store) => store.close?.()));
}

/** The event log, before any logger of the project. */
function openJournal(
  { topology, onEntry, clock, known }: OpenProcessOptions,
  { log: dir, disk }: DataDir,
): EventLog {
  const { project, workspace, defaults } = topology;
  return eventLog({
    loggers: [logFile({ dir, fileSystem: disk.fileSystem })],
    onEntry,
    level: defaults.log_level,
    project,
    workspace,
    now: clock.wall,
    mask: known.mask,
  });
}
