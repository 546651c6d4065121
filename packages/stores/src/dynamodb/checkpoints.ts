import type { CheckpointStore } from "@orgloop/sdk";
import { inTurn } from "./in-turn.ts";
import { getItem, type ItemKey, type StateTable, singleKey } from "./state-table.ts";
import { deleteItem, updateItem } from "./write-item.ts";

export interface DynamoCheckpointsOptions extends StateTable {
  /** For `updated_ms`; default: the system's clock. */
  readonly now?: () => number;
}

/** Checkpoints in the state table, whoever holds the source: the pollers use `leasedCheckpoints`, which is fenced. */
export function dynamoCheckpoints(options: DynamoCheckpointsOptions): CheckpointStore {
  const { now = Date.now } = options;
  const turns = inTurn();
  return {
    async get(sourceId) {
      const item = await turns(sourceId, () => getItem(options, sourceKey(sourceId)));
      return checkpointOf(item);
    },
    async set(sourceId, checkpoint) {
      const change = { set: { checkpoint, updated_ms: now() } };
      await turns(sourceId, () => updateItem(options, sourceKey(sourceId), change));
    },
    delete: (sourceId) => turns(sourceId, () => deleteItem(options, sourceKey(sourceId))),
  };
}

/** The item of a source: its checkpoint, its lease, and what `status` shows of it. */
export const sourceKey = (sourceId: string): ItemKey => singleKey("source", sourceId);

export function checkpointOf(item: { readonly checkpoint?: unknown } | null): string | null {
  return typeof item?.checkpoint === "string" ? item.checkpoint : null;
}
