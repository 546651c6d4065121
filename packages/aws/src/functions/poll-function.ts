import { wantedSource } from "@orgloop/engine";
import { OrgLoopError, type SourceSpec, withoutSchemas } from "@orgloop/sdk";
import { pollTick, type Tick } from "../intake/poll.ts";
import { leasedCheckpoints } from "../state/leased-checkpoints.ts";
import { type FunctionOptions, functionTools, runMasked } from "./function-tools.ts";
import { itemOpener } from "./open-items.ts";
import { sourcePublisher } from "./source-publisher.ts";

/** `ORGLOOP_SPEC` of a poller. */
export interface PollSpec {
  readonly sources: readonly SourceSpec[];
  /** Those that are grouped by their ordering keys; absent: none. */
  readonly keyed?: readonly string[];
}

/** The poller: one tick of one of its sources. */
export async function pollFunction(
  options: FunctionOptions,
): Promise<(tick: Tick) => Promise<void>> {
  const tools = await functionTools<PollSpec>(options);
  const { spec, state, clock, flow } = tools;
  const specs = new Map(spec.sources.map((source) => [source.id, withoutSchemas(source)]));
  const open = itemOpener(wantedSource, tools);
  const publish = await sourcePublisher(tools);
  const leases = leasedCheckpoints({ ...state, now: clock.now });
  const openSource = async (id: string) => {
    const source = specs.get(id);
    if (source !== undefined) return open(source);
    throw new OrgLoopError("UNKNOWN_SOURCE", `this function polls no source "${id}"`);
  };
  return (tick) =>
    runMasked(tools, () => pollTick(tick, { openSource, leases, publish, clock, flow }));
}
