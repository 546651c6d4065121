import { setTimeout as sleep } from "node:timers/promises";
import { BatchWriteItemCommand, type WriteRequest } from "@aws-sdk/client-dynamodb";
import { OrgLoopError } from "@orgloop/sdk";
import { type ItemKey, type StateTable, toAttributes } from "./state-table.ts";

/** Of one call (AWS, BatchWriteItem). */
const MAX_BATCH = 25;

const MAX_TRIES = 8;
const FIRST_DELAY_MS = 50;

/** Deletes items; each key once. Throws `WRITES_UNPROCESSED` where the table throttles for good. */
export async function batchDelete(state: StateTable, keys: readonly ItemKey[]): Promise<void> {
  for (let first = 0; first < keys.length; first += MAX_BATCH) {
    const requests = keys
      .slice(first, first + MAX_BATCH)
      .map((key) => ({ DeleteRequest: { Key: toAttributes({ ...key }) } }));
    await writeAll(state, requests);
  }
}

async function writeAll({ client, table }: StateTable, requests: WriteRequest[]): Promise<void> {
  let left: WriteRequest[] = requests;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    if (tries > 0) await sleep(FIRST_DELAY_MS * 2 ** (tries - 1) * Math.random());
    const command = new BatchWriteItemCommand({ RequestItems: { [table]: left } });
    const { UnprocessedItems = {} } = await client.send(command);
    left = UnprocessedItems[table] ?? [];
    if (left.length === 0) return;
  }
  throw new OrgLoopError(
    "WRITES_UNPROCESSED",
    `${left.length} writes to ${table} were not processed after ${MAX_TRIES} tries: the table throttles, try again later`,
  );
}
