import { setImmediate } from "node:timers/promises";
import { connectorRepeatWindows } from "@orgloop/config";
import type { CheckEvent } from "@orgloop/engine/event-schemas";
import type { LogEntry, Topology } from "@orgloop/sdk";
import { closeAll, type OpenPluginsOptions, openPlugins } from "../plugins/open-plugins.ts";
import type { Clock } from "../process/clock.ts";
import { type Generation, generation } from "./generation.ts";
import type { PreparedTopology } from "./prepare-topology.ts";

export interface OpenGenerationOptions
  extends Pick<OpenPluginsOptions, "projectDir" | "lookup" | "claims" | "known" | "open"> {
  readonly clock: Clock;
  readonly log: (entry: Omit<LogEntry, "timestamp">) => void;
  readonly abandon: AbortSignal;
}

/**
 * Makes a configuration ready to run: what `before` has open already is kept, all else is opened.
 * Rejects with `PLUGINS_FAILED`, or what `generation` throws; then what was opened for it is
 * closed.
 */
export async function openGeneration(
  prepared: PreparedTopology,
  before: Generation | null,
  { clock, log, abandon, ...rest }: OpenGenerationOptions,
): Promise<Generation> {
  const reach = prepared.resolved.network?.allow_private;
  const plugins = await openPlugins({
    ...rest,
    ...(reach !== undefined && { allowPrivate: reach }),
    topology: prepared.resolved,
    written: prepared.topology,
    now: clock.wall,
    monotonic: clock.now,
    warn: (item, message) => log({ phase: "system.error", error: `${item}: ${message}` }),
    before: before?.plugins,
  });
  await setImmediate();
  try {
    const windows = await connectorRepeatWindows(prepared.resolved.sources, rest.lookup);
    const checkEvent = await schemasOf(prepared.topology);
    return generation({ prepared, plugins, windows, checkEvent, clock, log, abandon });
  } catch (error) {
    await closeAll(plugins.created);
    throw error;
  }
}

/** What compiles schemas is loaded only where there are any. */
async function schemasOf({ sources }: Topology): Promise<CheckEvent | null> {
  if (sources.every(({ schemas }) => schemas === undefined)) return null;
  const { eventSchemas } = await import("@orgloop/engine/event-schemas");
  return eventSchemas(sources);
}
