import type { BusGrouping } from "@orgloop/engine";
import { messageGroup } from "../plan/message-keys.ts";
import type { FifoMessage } from "../queue/sqs-sender.ts";
import type { SourceGroupings } from "../state/source-groupings.ts";

export interface RegroupHost {
  /** How each source's events are to be grouped. */
  readonly wanted: ReadonlyMap<string, BusGrouping>;
  readonly groupings: SourceGroupings;
  readonly sendToBus: (message: FifoMessage) => Promise<void>;
  /** Messages on the bus, hidden ones included. */
  readonly countBus: () => Promise<number>;
  readonly now: () => number;
}

/** Longer than a deploy takes: nobody publishes by what was deployed before. */
const DEPLOYED_MS = 600_000;
/** By then SQS has dropped what was published before (retention is 14 days). */
const GONE_MS = 14 * 86_400_000;

/**
 * Looks which sources are to be grouped otherwise, and whether the old groups are empty. What was
 * one group is empty when the router has come to a mark that was put behind it; what was many, when
 * the bus holds nothing, twice in a row.
 */
export function sourceRegrouping(host: RegroupHost): () => Promise<void> {
  const { wanted, groupings, sendToBus, countBus, now } = host;
  const settled = new Set<string>();
  let wasEmpty = false;

  async function regroup(id: string, to: BusGrouping, isEmpty: () => Promise<boolean>) {
    const kept = (await groupings.load([id])).get(id);
    if (kept === undefined || kept.by === to) {
      if (kept?.to != null) await groupings.want(id, null, now());
      settled.add(id);
    } else if (kept.to !== to) await groupings.want(id, to, now());
    else if (now() - kept.sinceMs < DEPLOYED_MS) return;
    else if (to === "key") await sendToBus(regroupMark(id, kept.sinceMs));
    else if (now() - kept.sinceMs > GONE_MS || (await isEmpty())) await groupings.settle(id, to);
  }

  return async () => {
    const open = [...wanted].filter(([id]) => !settled.has(id));
    if (open.length === 0) return;
    const kept = await groupings.load(open.map(([id]) => id));
    let counted: Promise<boolean> | undefined;
    const countOnce = async () => (await countBus()) === 0;
    const isEmpty = async () => {
      counted ??= countOnce();
      return (await counted) && wasEmpty;
    };
    for (const [id, to] of open) {
      const now = kept.get(id);
      if (now?.by === to && now.to === null) settled.add(id);
      else await regroup(id, to, isEmpty);
    }
    wasEmpty = counted === undefined ? false : await counted;
  };
}

/** A message behind all that is on the bus of a source that was one group. */
function regroupMark(source: string, sinceMs: number): FifoMessage {
  return {
    body: JSON.stringify({ v: 1, regroup: { source, by: "key" } }),
    group: messageGroup(source),
    dedupId: `regroup.${sinceMs}`,
  };
}

/** Of which source a message of the bus is the mark; null: it is none. */
export function regroupedBy(body: string): string | null {
  if (!body.startsWith('{"v":1,"regroup":')) return null;
  const { regroup } = JSON.parse(body) as { regroup?: { source?: unknown } };
  return typeof regroup?.source === "string" ? regroup.source : null;
}
