import { BatchGetItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { checkpointOf, sourceKey } from "./checkpoints.ts";
import { type Item, type StateTable, toAttributes } from "./state-table.ts";
import { untilProcessed } from "./until-processed.ts";

/** What is kept of a source's polls. */
export interface SourceState {
  readonly checkpoint: string | null;
  /** When the last poll began. */
  readonly polledMs: number | null;
  /** That polls put on the bus. */
  readonly events: number;
  /** Polls that failed since the last that did not. */
  readonly failures: number;
}

/** Of one call (AWS, BatchGetItem). */
const MAX_BATCH = 100;

export function dynamoSourceStates({ client, table }: StateTable): {
  /** By source; those never polled are not there. */
  read(ids: readonly string[]): Promise<ReadonlyMap<string, SourceState>>;
} {
  return {
    async read(ids) {
      const found = new Map<string, SourceState>();
      const byPk = new Map(ids.map((id) => [sourceKey(id).pk, id]));
      for (let first = 0; first < ids.length; first += MAX_BATCH) {
        const keys = ids
          .slice(first, first + MAX_BATCH)
          .map((id) => toAttributes({ ...sourceKey(id) }));
        await untilProcessed(table, keys, async (Keys) => {
          const command = new BatchGetItemCommand({ RequestItems: { [table]: { Keys } } });
          const { Responses = {}, UnprocessedKeys = {} } = await client.send(command);
          for (const attributes of Responses[table] ?? []) {
            const item = unmarshall(attributes);
            found.set(byPk.get(item.pk) ?? "", stateOf(item));
          }
          return UnprocessedKeys[table]?.Keys ?? [];
        });
      }
      return found;
    },
  };
}

function stateOf(item: Item): SourceState {
  const { polled_ms, events, failures } = item;
  return {
    checkpoint: checkpointOf(item),
    polledMs: typeof polled_ms === "number" ? polled_ms : null,
    events: Number(events ?? 0),
    failures: Number(failures ?? 0),
  };
}
