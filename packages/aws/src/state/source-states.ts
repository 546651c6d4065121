import type { IllList } from "@orgloop/sdk";
import { batchGet } from "./batch-get.ts";
import { checkpointOf, sourceKey } from "./source-item.ts";
import type { Item, StateTable } from "./state-table.ts";

/** What is kept of a source's polls. */
export interface SourceState {
  readonly checkpoint: string | null;
  /** When the last poll began. */
  readonly polledMs: number | null;
  /** That polls put on the bus. */
  readonly events: number;
  /** Polls that failed since the last that did not. */
  readonly failures: number;
  /** Polls that began and were never ended, since the last that was. */
  readonly unended: number;
  /** Until when nobody polls it: it is being polled, or asked to be left alone. */
  readonly leaseUntilMs: number | null;
  /** Lists that the last poll could not read. */
  readonly illLists: readonly IllList[];
}

export function dynamoSourceStates(state: StateTable): {
  /** By source; those never polled are not there. */
  read(ids: readonly string[]): Promise<ReadonlyMap<string, SourceState>>;
} {
  return {
    async read(ids) {
      const byPk = new Map(ids.map((id) => [sourceKey(id).pk, id]));
      const items = await batchGet(state, ids.map(sourceKey));
      return new Map(items.map((item) => [byPk.get(String(item.pk)) ?? "", stateOf(item)]));
    },
  };
}

function stateOf(item: Item): SourceState {
  const { polled_ms, events, failures, unended, lease_until_ms, ill_lists } = item;
  return {
    checkpoint: checkpointOf(item),
    polledMs: typeof polled_ms === "number" ? polled_ms : null,
    events: Number(events ?? 0),
    failures: Number(failures ?? 0),
    unended: Number(unended ?? 0),
    leaseUntilMs: typeof lease_until_ms === "number" ? lease_until_ms : null,
    illLists: typeof ill_lists === "string" ? JSON.parse(ill_lists) : [],
  };
}
