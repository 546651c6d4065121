import { busKey } from "@orgloop/engine";
import { messageOf, type OrgLoopEvent, type SourceSpec } from "@orgloop/sdk";
import type { FlowLog } from "../functions/flow-log.ts";
import type { SourceGroupings } from "../state/source-groupings.ts";

/** By what an event is grouped beside its source; null: by nothing. */
export type KeyOf = (event: OrgLoopEvent) => string | null;

export interface GroupedSourcesOptions {
  readonly sources: readonly SourceSpec[];
  /** Those whose events are to be grouped by their ordering keys. */
  readonly keyed: readonly string[];
  readonly groupings: Pick<SourceGroupings, "load">;
  readonly flow: Pick<FlowLog, "log">;
}

const ALONE: KeyOf = () => null;

/**
 * How a source's events are grouped: as they were, until its old groups are empty; then as was
 * deployed. Asked anew with each publication until that is in force, and never after.
 */
export function groupedSources(options: GroupedSourcesOptions): (id: string) => Promise<KeyOf> {
  const { sources, groupings, flow } = options;
  const specs = new Map(sources.map((source) => [source.id, source]));
  const keyed = new Set(options.keyed);
  const inForce = new Set<string>();

  async function groupingNow(id: string): Promise<"key" | "source"> {
    const wanted = keyed.has(id) ? "key" : "source";
    if (inForce.has(id)) return wanted;
    try {
      const by = (await groupings.load([id])).get(id)?.by ?? "source";
      if (by === wanted) inForce.add(id);
      return by;
    } catch (error) {
      // An event that comes too early is better than one that is refused.
      flow.log({ phase: "system.error", source: id, error: `grouping: ${messageOf(error)}` });
      return wanted;
    }
  }

  return async (id) => {
    if ((await groupingNow(id)) === "source") return ALONE;
    const source = specs.get(id);
    return (event) => busKey(event, source);
  };
}
