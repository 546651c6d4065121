import { createHash, randomBytes } from "node:crypto";
import { type DeadLetter, type DeadLetterStore, type DeadReason, parseJson } from "@orgloop/sdk";
import { batchDelete } from "./batch-delete.ts";
import { inTurn } from "./in-turn.ts";
import {
  type LetterObjects,
  LISTED,
  type ListedLetter,
  listedLetter,
  listedOf,
  MAX_INLINE_BYTES,
} from "./letter-item.ts";
import {
  getItem,
  type Item,
  type ItemKey,
  type ListQuery,
  listedKey,
  listItems,
  type StateTable,
  ttlSeconds,
} from "./state-table.ts";
import { deleteItem, updateItem } from "./write-item.ts";

export interface DynamoDeadLettersOptions extends StateTable {
  /** Takes what is too long for an item. */
  readonly objects: LetterObjects;
  readonly now?: () => number;
}

/** Which letters are listed; an absent key lets all through. */
export interface ListedLetterFilter {
  readonly route?: string;
  readonly actor?: string;
  readonly reason?: DeadReason;
  /** ISO 8601: when the last attempt was, both inclusive. */
  readonly since?: string;
  readonly until?: string;
}

export interface DynamoDeadLetters extends DeadLetterStore {
  /** Without their events, in the order in which they were first put; filtered where they lie. */
  listed(filter?: ListedLetterFilter): Promise<readonly ListedLetter[]>;
  count(): Promise<number>;
  /**
   * Says that its replay is on its way. A newer letter of the same id takes that back; unknown ids
   * are ignored.
   */
  markReplayed(id: string): Promise<void>;
  /** Takes a letter away that is `refused` since `lastAt` still: a newer one of its id stays. */
  removeRefused(id: string, lastAt: string): Promise<void>;
}

/** Letters are kept for 90 days. */
const LETTER_RETENTION_MS = 90 * 86_400_000;

/**
 * Dead letters in the state table, spread over its partitions; long ones lie in the bucket, under a
 * key of their content.
 */
export function dynamoDeadLetters(options: DynamoDeadLettersOptions): DynamoDeadLetters {
  const { objects, now = Date.now } = options;
  const turns = inTurn();
  const nextPlace = places(now);

  async function write(letter: DeadLetter, place: string): Promise<void> {
    const text = JSON.stringify(letter);
    const long = Buffer.byteLength(text) > MAX_INLINE_BYTES;
    const object = long ? objectKey(letter.id, text) : null;
    if (object !== null) await objects.put(object, text);
    await updateItem(options, letterKey(letter.id), {
      set: {
        ...listedOf(letter),
        letter: long ? null : text,
        object,
        ttl: ttlSeconds(now() + LETTER_RETENTION_MS),
      },
      setOnce: { place },
      remove: ["replayed_ms"],
    });
  }

  return {
    put(letter) {
      const place = nextPlace();
      return turns(letter.id, () => write(letter, place));
    },
    async *list(after = 0) {
      for (const [index, item] of (await inPlace(options, listQuery({}))).entries()) {
        const { replayed_ms: _, ...letter } = listedLetter(item);
        if (index + 1 > after) yield { ...letter, position: index + 1 };
      }
    },
    async get(id) {
      const item = await getItem(options, letterKey(id));
      return item === null ? null : letterOf(item, objects);
    },
    remove: (ids) => batchDelete(options, [...new Set(ids)].map(letterKey)),
    async listed(filter = {}) {
      return (await inPlace(options, listQuery(filter))).map(listedLetter);
    },
    async count() {
      let total = 0;
      for await (const pages of listItems(options, "letter", { Select: "COUNT" })) {
        for (const { count } of pages) total += Number(count);
      }
      return total;
    },
    async markReplayed(id) {
      await updateItem(options, letterKey(id), {
        set: { replayed_ms: now() },
        condition: "attribute_exists(#place)",
        names: ["place"],
      });
    },
    removeRefused: (id, lastAt) =>
      deleteItem(options, letterKey(id), { reason: "refused", last_at: lastAt }),
  };
}

async function letterOf({ letter, object }: Item, objects: LetterObjects): Promise<DeadLetter> {
  const text = typeof object === "string" ? await objects.get(object) : String(letter);
  return parseJson(text) as DeadLetter;
}

/** In the order of their places. */
async function inPlace(state: StateTable, query: ListQuery): Promise<readonly Item[]> {
  const found: Item[] = [];
  for await (const page of listItems(state, "letter", query)) found.push(...page);
  return found.sort((a, b) => (String(a.place) < String(b.place) ? -1 : 1));
}

const letterKey = (id: string): ItemKey => listedKey("letter", id);

/** By its content: a newer letter never changes what an older item points to. */
function objectKey(id: string, text: string): string {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  return `claims/letters/${encodeURIComponent(id)}/${hash}.json`;
}

/** Places in the order of the calls; those of other processes by their clocks. */
function places(now: () => number): () => string {
  const writer = randomBytes(4).toString("hex");
  let last = 0;
  let count = 0;
  return () => {
    last = Math.max(last, Math.floor(now()));
    count += 1;
    return `${String(last).padStart(15, "0")}.${String(count).padStart(12, "0")}.${writer}`;
  };
}

function listQuery({ route, actor, reason, since, until }: ListedLetterFilter): ListQuery {
  const iso = (time?: string) => time && new Date(time).toISOString();
  const tests = [
    ["#route = :route", ":route", route],
    ["#actor = :actor", ":actor", actor],
    ["#reason = :reason", ":reason", reason],
    ["#last_at >= :since", ":since", iso(since)],
    ["#last_at <= :until", ":until", iso(until)],
  ] as const;
  const asked = tests.filter(([, , value]) => value !== undefined);
  return {
    ProjectionExpression: LISTED.map((name) => `#${name}`).join(", "),
    ExpressionAttributeNames: Object.fromEntries(LISTED.map((name) => [`#${name}`, name])),
    ...(asked.length > 0 && { FilterExpression: asked.map(([test]) => test).join(" AND ") }),
    values: Object.fromEntries(asked.map(([, name, value]) => [name, value])),
  };
}
