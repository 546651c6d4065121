import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import {
  getItem,
  type Item,
  itemInTheWay,
  type StateTable,
  singleKey,
  toAttributes,
  ttlSeconds,
} from "./state-table.ts";

export interface ItemClaim {
  readonly key: string;
  /** Who claims: an event, or the publication of one. */
  readonly holder: string;
  /** What is kept with the claim. */
  readonly body?: string | undefined;
  readonly windowMs: number;
  readonly nowMs: number;
}

/**
 * One conditional write, whoever holds the key; gone by TTL some time after its window. Null: the
 * claim holds, or nobody's does any more; otherwise the item of who was first.
 */
export async function claimItem(
  state: StateTable,
  { key, holder, body, windowMs, nowMs }: ItemClaim,
): Promise<Item | null> {
  const expiresMs = nowMs + windowMs;
  const itemKey = singleKey("claim", key);
  const command = new PutItemCommand({
    TableName: state.table,
    Item: toAttributes({
      ...itemKey,
      event_id: holder,
      body,
      expires_ms: expiresMs,
      ttl: ttlSeconds(expiresMs),
    }),
    ConditionExpression: "attribute_not_exists(pk) OR expires_ms <= :now",
    ExpressionAttributeValues: toAttributes({ ":now": nowMs }),
    ReturnValuesOnConditionCheckFailure: "ALL_OLD",
  });
  try {
    await state.client.send(command);
    return null;
  } catch (error) {
    const first = itemInTheWay(error);
    if (first === undefined) throw error;
    return first ?? (await getItem(state, itemKey));
  }
}
