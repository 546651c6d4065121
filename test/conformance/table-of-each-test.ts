import { randomUUID } from "node:crypto";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { afterEach, beforeEach, inject } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";

/**
 * A state table of its own for each test of the file, and a time that stands still until the test
 * moves it.
 */
export function tableOfEachTest() {
  let client: DynamoDBClient;
  let table: string;
  const its = {
    get state() {
      return { client, table };
    },
    nowMs: 0,
    now: () => its.nowMs,
    items: async () => (await client.send(new ScanCommand({ TableName: table }))).Items ?? [],
  };
  beforeEach(async () => {
    its.nowMs = Date.parse("2026-11-01T00:00:00.000Z");
    client = new DynamoDBClient(clientConfig(inject("aws")));
    table = `orgloop-state-${randomUUID()}`;
    await createStateTable(client, table);
  });
  afterEach(() => client.destroy());
  return its;
}
