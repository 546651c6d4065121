import { createHash } from "node:crypto";
import {
  type AttributeValue,
  type DynamoDBClient,
  GetItemCommand,
  paginateQuery,
  type QueryCommandInput,
} from "@aws-sdk/client-dynamodb";
import { marshall, unmarshall } from "@aws-sdk/util-dynamodb";

/** The one table of a stage: keys `pk` and `sk` (text), TTL on `ttl` (seconds since the epoch). */
export interface StateTable {
  readonly client: DynamoDBClient;
  readonly table: string;
}

/** An item as plain values. */
export type Item = Readonly<Record<string, unknown>>;

export interface ItemKey {
  readonly pk: string;
  readonly sk: string;
}

/**
 * Partitions that a listed kind of item is spread over: one partition takes 1,000 writes a second
 * (AWS, DynamoDB, Burst and adaptive capacity), and a listing asks them all.
 */
const SHARDS = 32;

/** Bytes of a key that we write as they are; DynamoDB takes 2,048 in `pk` and 1,024 in `sk`. */
const MAX_KEY_BYTES = 900;

/** The key of a thing that is looked up by its id alone. */
export function singleKey(kind: string, id: string, part = kind): ItemKey {
  return { pk: `${kind}#${keyText(id)}`, sk: part };
}

/** The key of a thing that is listed as well. */
export function listedKey(kind: string, id: string): ItemKey {
  const shard = createHash("sha256").update(id).digest().readUInt32BE() % SHARDS;
  return { pk: `${kind}#${shard}`, sk: keyText(id) };
}

function keyText(id: string): string {
  if (id !== "" && Buffer.byteLength(id) <= MAX_KEY_BYTES) return `=${id}`;
  return `sha256:${createHash("sha256").update(id).digest("hex")}`;
}

/** As of now: every write that was answered before is in it. Null where there is none. */
export async function getItem({ client, table }: StateTable, key: ItemKey): Promise<Item | null> {
  const command = new GetItemCommand({
    TableName: table,
    Key: toAttributes({ ...key }),
    ConsistentRead: true,
  });
  const { Item } = await client.send(command);
  return Item === undefined ? null : unmarshall(Item);
}

/** What a listing asks of each partition. */
export type ListQuery = Pick<
  QueryCommandInput,
  "ProjectionExpression" | "FilterExpression" | "ExpressionAttributeNames" | "Select"
> & { readonly values?: Item };

/** Every item of a listed kind, page by page, in no order. As of now. */
export async function* listItems(
  state: StateTable,
  kind: string,
  query: ListQuery = {},
): AsyncGenerator<readonly Item[]> {
  const pages = Array.from({ length: SHARDS }, (_, shard) => shardPages(state, kind, shard, query));
  const next = new Map(pages.map((page) => [page, advance(page)]));
  while (next.size > 0) {
    const { page, result } = await Promise.race(next.values());
    if (result.done) next.delete(page);
    else {
      next.set(page, advance(page));
      if (result.value.length > 0) yield result.value;
    }
  }
}

const advance = async (page: AsyncGenerator<readonly Item[]>) => ({
  page,
  result: await page.next(),
});

async function* shardPages(
  { client, table }: StateTable,
  kind: string,
  shard: number,
  { values, ExpressionAttributeNames, ...query }: ListQuery,
): AsyncGenerator<readonly Item[]> {
  const input: QueryCommandInput = {
    ...query,
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: "#pk = :pk",
    ExpressionAttributeNames: { ...ExpressionAttributeNames, "#pk": "pk" },
    ExpressionAttributeValues: toAttributes({ ...values, ":pk": `${kind}#${shard}` }),
  };
  for await (const { Items = [], Count = 0 } of paginateQuery({ client }, input)) {
    yield query.Select === "COUNT" ? [{ count: Count }] : Items.map((item) => unmarshall(item));
  }
}

/** `undefined` is left out. */
export function toAttributes(item: Item): Record<string, AttributeValue> {
  return marshall(item, { removeUndefinedValues: true });
}

/**
 * Seconds since the epoch, as the `ttl` attribute has it. DynamoDB deletes some time after it:
 * readers look at the time themselves.
 */
export const ttlSeconds = (atMs: number): number => Math.ceil(atMs / 1_000);

/**
 * The item that stood in a condition's way; null where there was none, undefined where it was no
 * failed condition.
 */
export function itemInTheWay(error: unknown): Item | null | undefined {
  if (!(error instanceof Error) || error.name !== "ConditionalCheckFailedException") {
    return undefined;
  }
  const { Item } = error as { Item?: Record<string, AttributeValue> };
  return Item === undefined ? null : unmarshall(Item);
}
