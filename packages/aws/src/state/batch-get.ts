import { BatchGetItemCommand } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { type Item, type ItemKey, type StateTable, toAttributes } from "./state-table.ts";
import { untilProcessed } from "./until-processed.ts";

/** Of one call (AWS, BatchGetItem). */
const MAX_BATCH = 100;

/**
 * The items that are there, in no order, each key once. As of now where `consistent` says so.
 * Throws `TABLE_THROTTLED`.
 */
export async function batchGet(
  { client, table }: StateTable,
  keys: readonly ItemKey[],
  { consistent = false }: { readonly consistent?: boolean } = {},
): Promise<readonly Item[]> {
  const found: Item[] = [];
  for (let first = 0; first < keys.length; first += MAX_BATCH) {
    const asked = keys.slice(first, first + MAX_BATCH).map((key) => toAttributes({ ...key }));
    await untilProcessed(table, asked, async (Keys) => {
      const RequestItems = { [table]: { Keys, ConsistentRead: consistent } };
      const { Responses = {}, UnprocessedKeys = {} } = await client.send(
        new BatchGetItemCommand({ RequestItems }),
      );
      found.push(...(Responses[table] ?? []).map((item) => unmarshall(item)));
      return UnprocessedKeys[table]?.Keys ?? [];
    });
  }
  return found;
}
