import type { PluginLookup, Topology } from "@orgloop/sdk";
import { claimDataDir, type DataDir } from "./claim-data-dir.ts";
import { type EventLog, type EventLogOptions, eventLog } from "./event-log.ts";
import { logFile } from "./log-file.ts";
import { type OpenBus, openBus } from "./open-bus.ts";
import { type OpenPlugins, openPlugins } from "./open-plugins.ts";
import { openStores, type Stores } from "./open-stores.ts";

export interface OpenProcessOptions extends Pick<EventLogOptions, "onEntry" | "now"> {
  /** References resolved. */
  readonly topology: Topology;
  readonly projectDir: string;
  readonly dataDir: string;
  readonly lookup: PluginLookup;
  /** Default: what the topology names. */
  readonly openBus?: typeof openBus | undefined;
}

/** All that a process holds open. */
export interface OpenProcess extends Stores {
  readonly log: EventLog["log"];
  readonly bus: OpenBus;
  readonly dataDir: DataDir;
  readonly plugins: OpenPlugins;
  /** Closes it all, last opened first. */
  close(): Promise<void>;
}

/** Opens data directory, event log, stores, bus and plugins; where one of them fails, closes the others and rejects. */
export async function openProcess(options: OpenProcessOptions): Promise<OpenProcess> {
  const { topology, projectDir, lookup, onEntry, now } = options;
  const { project, workspace, defaults } = topology;
  await using opened = new AsyncDisposableStack();

  const dataDir = await claimDataDir(options.dataDir, project);
  opened.defer(() => dataDir.release());

  const file = logFile({ dir: dataDir.log });
  const level = defaults.log_level;
  const journal = eventLog({ loggers: [file], onEntry, level, project, workspace, now });
  opened.defer(() => journal.close());
  const { log } = journal;
  const warn = (message: string): void => log({ phase: "system.error", error: message });

  const { checkpoint, wal } = defaults;
  const stores = await openStores({ dataDir, projectDir, checkpoint, now, warn });
  opened.defer(async () => {
    await Promise.all([stores.deadLetters.close?.(), stores.claims.close?.()]);
  });

  const open = options.openBus ?? openBus;
  const bus = await open({ spec: topology.bus, wal, dir: dataDir.wal, log, now });
  opened.defer(() => bus.close());

  const { claims } = stores;
  const plugins = await openPlugins({
    topology,
    projectDir,
    lookup,
    claims,
    now,
    warn: (item, message) => warn(`${item}: ${message}`),
  });
  opened.defer(() => plugins.close());
  for (const logger of plugins.loggers) journal.add(logger);

  const kept = opened.move();
  return { ...stores, dataDir, log, bus, plugins, close: () => kept.disposeAsync() };
}
