import { parseDuration, type Source, type Topology } from "@orgloop/sdk";
import type { InUse } from "../apply/in-use.ts";
import type { PolledSource } from "./source-loop.ts";

/**
 * Which sources are polled, and how often: those that can be; where one also takes webhooks, only
 * with a `poll.interval`.
 */
export function polledSources(
  topology: Topology,
  sources: ReadonlyMap<string, InUse<Source>>,
): readonly PolledSource[] {
  return topology.sources.flatMap(({ id, poll }) => {
    const source = sources.get(id);
    if (source === undefined || !isPolled(source)) return [];
    if (source.part.receive !== undefined && poll === undefined) return [];
    return [
      { id, source, intervalMs: parseDuration(poll?.interval ?? topology.defaults.poll_interval) },
    ];
  });
}

function isPolled(source: InUse<Source>): source is PolledSource["source"] {
  return source.part.poll !== undefined;
}
