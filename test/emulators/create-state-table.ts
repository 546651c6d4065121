import { CreateTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";

/**
 * A state table as the stacks make it, without its TTL and its recovery: emulators delete what a
 * test still looks at.
 */
export async function createStateTable(client: DynamoDBClient, name: string): Promise<void> {
  const keys = ["pk", "sk"];
  await client.send(
    new CreateTableCommand({
      TableName: name,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: "S" })),
      KeySchema: [
        { AttributeName: "pk", KeyType: "HASH" },
        { AttributeName: "sk", KeyType: "RANGE" },
      ],
    }),
  );
}
