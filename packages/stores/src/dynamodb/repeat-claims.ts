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

/** A publication that wants to be the first of its event. */
export interface RepeatClaim {
  readonly eventId: string;
  readonly publication: string;
  /** Absent: not known, as of messages of before there were publications. */
  readonly body?: string;
  readonly windowMs: number;
  readonly nowMs: number;
}

/** Who published an event first, and what was sent: claims that all routers of a stage share. */
export interface RepeatClaims {
  /** Null: it is the first, or it was before. Otherwise the first one's body; undefined where that is not known. */
  claim(claim: RepeatClaim): Promise<null | { readonly body: string | undefined }>;
}

/** One conditional write a claim, gone by TTL some time after its window. */
export function dynamoRepeatClaims(state: StateTable): RepeatClaims {
  return {
    async claim({ eventId, publication, body, windowMs, nowMs }) {
      const expiresMs = nowMs + windowMs;
      // The key and attributes of `dynamoClaims`, which the release before kept these by.
      const itemKey = singleKey("claim", `event ${eventId}`);
      const command = new PutItemCommand({
        TableName: state.table,
        Item: toAttributes({
          ...itemKey,
          event_id: publication,
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
        const holder = itemInTheWay(error);
        if (holder === undefined) throw error;
        return judge(publication, holder ?? (await getItem(state, itemKey)));
      }
    },
  };
}

function judge(publication: string, holder: Item | null) {
  if (holder === null || holder.event_id === publication) return null;
  return { body: typeof holder.body === "string" ? holder.body : undefined };
}
