import { PutItemCommand } from "@aws-sdk/client-dynamodb";
import type { ClaimStore } from "@orgloop/sdk";
import { batchGet } from "./batch-get.ts";
import {
  getItem,
  type Item,
  type ItemKey,
  itemInTheWay,
  type StateTable,
  singleKey,
  toAttributes,
  ttlSeconds,
} from "./state-table.ts";

/** The item of a claim. */
const claimKey = (key: string): ItemKey => singleKey("claim", key);

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
  const itemKey = claimKey(key);
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

/** Dedup claims that all functions of a stage share. */
export function dynamoClaims(state: StateTable): ClaimStore {
  return {
    async claim(key, eventId, windowMs, nowMs) {
      const first = await claimItem(state, { key, holder: eventId, windowMs, nowMs });
      return first === null || first.event_id === eventId;
    },
  };
}

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
  /**
   * Null: it is the first, or it was before. Otherwise the first one's body; undefined where that
   * is not known.
   */
  claim(claim: RepeatClaim): Promise<null | { readonly body: string | undefined }>;
}

export function dynamoRepeatClaims(state: StateTable): RepeatClaims {
  return {
    async claim({ eventId, publication, ...claim }) {
      // The key of `dynamoClaims`, under which the release before kept these.
      const key = `event ${eventId}`;
      return judge(publication, await claimItem(state, { ...claim, key, holder: publication }));
    },
  };
}

/** Of events, those that were routed within their source's window, unless it began anew. */
export async function claimedIds(
  state: StateTable,
  ids: readonly string[],
): Promise<readonly string[]> {
  const keys = new Map(ids.map((id) => [claimKey(`event ${id}`).pk, id]));
  const items = await batchGet(
    state,
    ids.map((id) => claimKey(`event ${id}`)),
  );
  return items.flatMap(({ pk }) => keys.get(String(pk)) ?? []);
}

function judge(publication: string, holder: Item | null) {
  if (holder === null || holder.event_id === publication) return null;
  return { body: typeof holder.body === "string" ? holder.body : undefined };
}
