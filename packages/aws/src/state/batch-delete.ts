import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import { type ItemKey, type StateTable, toAttributes } from "./state-table.ts";
import { untilProcessed } from "./until-processed.ts";

/** Of one call (AWS, BatchWriteItem). */
const MAX_BATCH = 25;

/** Deletes items; each key once. Throws `TABLE_THROTTLED`. */
export async function batchDelete(
  { client, table }: StateTable,
  keys: readonly ItemKey[],
): Promise<void> {
  for (let first = 0; first < keys.length; first += MAX_BATCH) {
    const requests = keys
      .slice(first, first + MAX_BATCH)
      .map((key): WriteRequest => ({ DeleteRequest: { Key: toAttributes({ ...key }) } }));
    await untilProcessed(table, requests, async (left) => {
      const command = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
      return (await client.send(command)).UnprocessedItems?.[table] ?? [];
    });
  }
}
