import { createHash } from "node:crypto";
import { paginateQuery } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import { type InboxEntry, parseJson } from "@orgloop/sdk";
import { batchGet } from "../batch-get.ts";
import { type LetterObjects, MAX_INLINE_BYTES } from "../letter-item.ts";
import {
  type Item,
  type ItemKey,
  type StateTable,
  singleKey,
  toAttributes,
  ttlSeconds,
} from "../state-table.ts";
import type { TransactedWrite } from "../transaction.ts";

/** An entry with what its host wrote to it, which tells how the actor is told. */
export interface KeptEntry {
  readonly entry: InboxEntry;
  readonly origin: string | null;
}

/** Which entry is where in its session: found by id. */
export interface EntryPlace {
  readonly id: string;
  readonly place: number;
  readonly expiresMs: number;
}

/** A list is cut here. */
const MAX_LIST_BYTES = 16 * 1024 ** 2;
/** Objects read at a time. */
const READS = 16;
/**
 * What nobody has fetched, or given up, is gone so long after it has expired: nothing of the stage
 * runs any more.
 */
const ENTRY_RETENTION_MS = 90 * 86_400_000;

export type InboxEntryItems = ReturnType<typeof inboxEntryItems>;

/** Two items an entry: itself by its place, which gives the order, and its place by its id. */
export function inboxEntryItems(state: StateTable, objects: LetterObjects) {
  return {
    draft: (kept: KeptEntry) => draftOf(kept, objects),
    /** The writes that remove an entry from its place, where it still is there. */
    removal: (session: string, { id, place }: EntryPlace): readonly TransactedWrite[] => [
      {
        Delete: {
          Key: toAttributes({ ...placeKey(session, id) }),
          ConditionExpression: "attribute_exists(pk)",
        },
      },
      { Delete: { Key: toAttributes({ ...entryKey(session, place) }) } },
    ],
    /** Where those of the ids are that are there, in their order. */
    async placesOf(session: string, ids: readonly string[]): Promise<readonly EntryPlace[]> {
      const keys = ids.map((id) => placeKey(session, id));
      return (await batchGet(state, keys, { consistent: true })).map(placeOf).sort(byPlace);
    },
    async places(session: string): Promise<readonly EntryPlace[]> {
      return (await Array.fromAsync(under(state, session, "id#"))).map(placeOf).sort(byPlace);
    },
    /** In their order, at most `limit`, fewer where they are long. */
    async first(session: string, limit: number): Promise<readonly KeptEntry[]> {
      const items: Item[] = [];
      let bytes = 0;
      for await (const item of under(state, session, "at#", limit)) {
        bytes += Number(item.bytes);
        if (bytes > MAX_LIST_BYTES && items.length > 0) break;
        items.push(item);
        if (items.length === limit) break;
      }
      return readAll(items, objects);
    },
    async at(session: string, places: readonly EntryPlace[]): Promise<readonly KeptEntry[]> {
      const keys = places.map(({ place }) => entryKey(session, place));
      const items = await batchGet(state, keys, { consistent: true });
      return readAll(
        items.toSorted((a, b) => (String(a.sk) < String(b.sk) ? -1 : 1)),
        objects,
      );
    },
  };
}

const entryKey = (session: string, place: number): ItemKey =>
  singleKey("waiting", session, `at#${String(place).padStart(12, "0")}`);

const placeKey = (session: string, id: string): ItemKey =>
  singleKey("waiting", session, `id#${id}`);

/** A session's items whose sort key begins with `prefix`, in its order. */
async function* under(
  { client, table }: StateTable,
  session: string,
  prefix: string,
  limit?: number,
): AsyncGenerator<Item> {
  const input = {
    TableName: table,
    ConsistentRead: true,
    KeyConditionExpression: "pk = :pk AND begins_with(sk, :prefix)",
    ExpressionAttributeValues: toAttributes({
      ":pk": singleKey("waiting", session).pk,
      ":prefix": prefix,
    }),
    ...(limit !== undefined && { Limit: limit }),
  };
  for await (const { Items = [] } of paginateQuery({ client }, input)) {
    for (const item of Items) yield unmarshall(item);
  }
}

async function readAll(
  items: readonly Item[],
  objects: LetterObjects,
): Promise<readonly KeptEntry[]> {
  const entries: KeptEntry[] = [];
  for (let first = 0; first < items.length; first += READS) {
    const texts = items
      .slice(first, first + READS)
      .map(({ object, text }) => (typeof object === "string" ? objects.get(object) : String(text)));
    entries.push(...(await Promise.all(texts)).map((text) => parseJson(text) as KeptEntry));
  }
  return entries;
}

/** The writes that put an entry in its place; what is long is in the bucket before. */
async function draftOf(
  kept: KeptEntry,
  objects: LetterObjects,
): Promise<(place: number) => readonly TransactedWrite[]> {
  const { id, session_key, expires_at } = kept.entry;
  const text = JSON.stringify(kept);
  const bytes = Buffer.byteLength(text);
  const object = bytes > MAX_INLINE_BYTES ? objectKey(id, text) : null;
  if (object !== null) await objects.put(object, text);
  const expires_ms = Date.parse(expires_at);
  const ttl = ttlOf(expires_ms);
  const content = { text: object === null ? text : null, object, bytes, ttl };
  return (place) => [
    {
      Put: {
        Item: toAttributes({ ...placeKey(session_key, id), id, place, expires_ms, ttl }),
        ConditionExpression: "attribute_not_exists(pk)",
      },
    },
    { Put: { Item: toAttributes({ ...entryKey(session_key, place), ...content }) } },
  ];
}

export const ttlOf = (expiresMs: number): number => ttlSeconds(expiresMs + ENTRY_RETENTION_MS);

const placeOf = ({ id, place, expires_ms }: Item): EntryPlace => ({
  id: String(id),
  place: Number(place),
  expiresMs: Number(expires_ms),
});

const byPlace = (a: EntryPlace, b: EntryPlace): number => a.place - b.place;

/** By its content: the same entry written twice is one object. */
function objectKey(id: string, text: string): string {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return `claims/inbox/${encodeURIComponent(id)}/${hash}.json`;
}
