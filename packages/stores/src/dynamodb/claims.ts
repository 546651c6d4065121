import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { ClaimStore } from "@orgloop/sdk";
import {
  getItem,
  itemInTheWay,
  type StateTable,
  singleKey,
  toAttributes,
  ttlSeconds,
} from "./state-table.ts";

/** Dedup claims by conditional writes, gone by TTL some time after their window. One write a claim, whoever holds the key. */
export function dynamoClaims(state: StateTable): ClaimStore {
  return {
    async claim(key, eventId, windowMs, nowMs) {
      const expiresMs = nowMs + windowMs;
      const itemKey = singleKey("claim", key);
      const command = new PutItemCommand({
        TableName: state.table,
        Item: toAttributes({
          ...itemKey,
          event_id: eventId,
          expires_ms: expiresMs,
          ttl: ttlSeconds(expiresMs),
        }),
        ConditionExpression: "attribute_not_exists(pk) OR expires_ms <= :now",
        ExpressionAttributeValues: toAttributes({ ":now": nowMs }),
        ReturnValuesOnConditionCheckFailure: "ALL_OLD",
      });
      try {
        await state.client.send(command);
        return true;
      } catch (error) {
        const holder = itemInTheWay(error);
        if (holder === undefined) throw error;
        const { event_id } = holder ?? (await getItem(state, itemKey)) ?? {};
        return event_id === eventId;
      }
    },
  };
}
