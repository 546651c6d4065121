import { sealSecrets } from "@orgloop/config";
import type { FileSystem } from "@orgloop/files";
import type { PluginLookup, Topology } from "@orgloop/sdk";
import { openSeal, readAppliedState } from "@orgloop/stores";
import type { Lifecycle } from "../plugins/lifecycle.ts";
import type { Clock } from "../process/clock.ts";
import type { OpenProcess } from "../process/open-process.ts";
import { type Configuration, type ConfigurationOptions, configuration } from "./configuration.ts";
import { type OpenGenerationOptions, openGeneration } from "./open-generation.ts";
import type { PreparedTopology } from "./prepare-topology.ts";

export interface OpenConfigurationOptions extends Pick<ConfigurationOptions, "prepare"> {
  /** What the project starts with. */
  readonly prepared: PreparedTopology;
  readonly projectDir: string;
  readonly dataDir: string;
  readonly lookup: PluginLookup;
  readonly open: OpenProcess;
  readonly clock: Clock;
  readonly lifecycle: Pick<Lifecycle, "stop" | "abandon">;
}

/**
 * The key is made with the directory: what is applied later may have a secret that the first has
 * not.
 */
async function topologySeal(
  dataDir: string,
  fileSystem: FileSystem,
): Promise<(topology: Topology) => Topology> {
  const seal = await openSeal(dataDir, fileSystem);
  return (topology) => sealSecrets(topology, seal);
}

/**
 * Opens the plugins of the first configuration. Throws `STATE_UNREADABLE`, and what
 * `openGeneration` throws.
 */
export async function openConfiguration(options: OpenConfigurationOptions): Promise<Configuration> {
  const { prepared, prepare, projectDir, dataDir, lookup, open, clock, lifecycle } = options;
  const { log, claims, checkpoints, repeats, plugins, known } = open;
  const { fileSystem } = open.dataDir.disk;
  const before = await readAppliedState(dataDir, fileSystem);
  const seal = await topologySeal(dataDir, fileSystem);
  const abandon = lifecycle.abandon.signal;
  const surroundings: OpenGenerationOptions = {
    projectDir,
    lookup,
    claims,
    known,
    open: plugins,
    clock,
    log,
    abandon,
  };
  return configuration({
    first: await openGeneration(prepared, null, surroundings),
    dataDir,
    fileSystem,
    before,
    seal,
    prepare,
    open: (next, from) => openGeneration(next, from, surroundings),
    checkpoints,
    repeats,
    clock,
    log,
    stop: lifecycle.stop.signal,
  });
}
