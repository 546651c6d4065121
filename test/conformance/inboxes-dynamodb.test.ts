import { randomUUID } from "node:crypto";
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import type { DecideInbox, SharedInboxes, StateTable } from "@orgloop/aws/state";
import { dynamoInboxes, hasInboxes } from "@orgloop/aws/state/inboxes";
import { changeInbox, type InboxChange } from "@orgloop/engine";
import { sampleInboxEntry } from "@orgloop/testkit";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";

let client: DynamoDBClient;
let state: StateTable;
let nowMs: number;
let objects: Map<string, string>;

beforeEach(async () => {
  nowMs = Date.parse("2026-11-01T00:00:00.000Z");
  objects = new Map();
  client = new DynamoDBClient(clientConfig(inject("aws")));
  state = { client, table: `orgloop-inboxes-${randomUUID()}` };
  await createStateTable(client, state.table);
});
afterEach(() => client.destroy());

/** As another function would. */
const open = (): SharedInboxes =>
  dynamoInboxes({
    ...state,
    now: () => nowMs,
    objects: {
      put: async (key, text) => void objects.set(key, text),
      get: async (key) => objects.get(key) ?? Promise.reject(new Error(`no object ${key}`)),
    },
  });

const items = async () =>
  (await client.send(new ScanCommand({ TableName: state.table }))).Items ?? [];

const by =
  (kind: InboxChange["kind"]): DecideInbox =>
  (before, count) =>
    changeInbox(before, { kind, count } as InboxChange);
const add = (inboxes: SharedInboxes, n: number, session?: string, text?: string) =>
  inboxes.add({ entry: sampleInboxEntry(n, session, text), origin: `o${n}` }, by("queued"));

test("functions that put at once: each entry has a place of its own, and one of them is to tell", async () => {
  const functions = [open(), open(), open(), open()];
  const changed = await Promise.all(
    Array.from({ length: 12 }, (_, n) => add(functions[n % 4] as SharedInboxes, n)),
  );
  expect(changed.reduce((sum, { count }) => sum + count, 0)).toBe(12);
  const notices = new Set(changed.map(({ noticeId }) => noticeId));
  expect(notices.size).toBe(1);
  expect(await open().state("agent")).toMatchObject({ pending: 12, notice: "sending" });
  expect(new Set((await open().list("agent", 99)).map(({ id }) => id)).size).toBe(12);
});

test("a notification is asked for until it is known to be sent, and the function that asked may die", async () => {
  const first = await add(open(), 0);
  expect(first.noticeId).toEqual(expect.any(String));
  // The message comes again: the entry is there, and whoever put it may not have told.
  expect(await add(open(), 0)).toMatchObject({ count: 0, noticeId: first.noticeId });
  expect(await open().due(nowMs)).toEqual([]);
  nowMs += 60_000;
  const due = { session_key: "agent", expired: false, noticeId: first.noticeId };
  expect(await open().due(nowMs)).toEqual([due]);
  await open().noticeSent("agent", String(first.noticeId));
  expect(await open().due(nowMs)).toEqual([]);
  expect(await add(open(), 0)).toMatchObject({ count: 0, noticeId: null });
  expect(await add(open(), 1)).toMatchObject({ count: 1, noticeId: null });
  const failed = await open().change("agent", by("notice_failed"));
  expect(failed).toMatchObject({ state: { pending: 2, notice: "none" }, noticeId: null });
  const anew = await add(open(), 2);
  expect([null, first.noticeId]).not.toContain(anew.noticeId);
  // Lost with its message: no queue keeps one for longer.
  await open().noticeSent("agent", String(anew.noticeId));
  nowMs += 16 * 86_400_000;
  expect((await add(open(), 3)).noticeId).toEqual(expect.any(String));
});

test("who takes at once takes each entry once; hundreds go in several transactions, and are decided on once", async () => {
  const inboxes = open();
  for (let n = 0; n < 120; n++) await add(inboxes, n);
  await inboxes.change("agent", by("notice_delivered"));
  const ids = (await inboxes.list("agent", 110)).map(({ id }) => id);
  const taken = await Promise.all([
    open().take("agent", ids, by("drained")),
    open().take("agent", ids, by("drained")),
  ]);
  expect(taken.reduce((sum, { count }) => sum + count, 0)).toBe(110);
  expect(taken.filter(({ noticeId }) => noticeId !== null)).not.toEqual([]);
  expect(await inboxes.state("agent")).toMatchObject({ pending: 10 });
  const rest = (await inboxes.list("agent", 99)).map(({ id }) => id);
  expect(rest).toEqual(Array.from({ length: 10 }, (_, n) => `in_${110 + n}`));
  expect(await inboxes.take("agent", rest, by("drained"))).toMatchObject({ count: 10 });
  // Its actor is being told still.
  expect(await inboxes.sessions()).toEqual([]);
  expect(await hasInboxes(state)).toBe(true);
  await inboxes.change("agent", by("notice_delivered"));
  expect(await inboxes.take("agent", rest, by("drained"))).toMatchObject({ count: 0 });
  expect(await items()).toEqual([]);
  expect(await hasInboxes(state)).toBe(false);
});

test("one at a time holds a session, until it lets go or its time is over", async () => {
  expect(await open().lease("agent", 1_000)).toBeNull();
  await add(open(), 0);
  const lease = await open().lease("agent", 1_000);
  expect(lease).toEqual(expect.any(String));
  expect(await open().lease("agent", 1_000)).toBeNull();
  expect(await add(open(), 1)).toMatchObject({ count: 1 });
  await open().release("agent", "another");
  expect(await open().lease("agent", 1_000)).toBeNull();
  await open().release("agent", String(lease));
  expect(await open().lease("agent", 1_000)).toEqual(expect.any(String));
  nowMs += 1_000;
  expect(await open().lease("agent", 1_000)).toEqual(expect.any(String));
});

test("what has expired is not handed out, and is looked for only where something may have", async () => {
  const inboxes = open();
  for (const n of [0, 5, 9]) await add(inboxes, n);
  const [soonest, later] = [nowMs + 3_600_000, nowMs + 3_605_000];
  expect(await inboxes.due(soonest - 1)).toEqual([
    { session_key: "agent", expired: false, noticeId: expect.any(String) },
  ]);
  expect(await inboxes.waiting("agent", soonest, 1)).toMatchObject({
    entries: [{ id: "in_5" }],
    pending: 2,
  });
  const ids = (await inboxes.expiredOf("agent", soonest, 9)).map(({ id }) => id);
  expect(ids).toEqual(["in_0"]);
  await inboxes.take("agent", ids, by("expired"));
  await inboxes.noticeSent("agent", String((await add(inboxes, 5)).noticeId));
  expect(await inboxes.due(soonest)).toMatchObject([{ expired: true }]);
  expect(await inboxes.expiredOf("agent", soonest, 9)).toEqual([]);
  // It has been looked through.
  expect(await inboxes.due(later - 1)).toEqual([]);
  expect(await inboxes.due(later)).toMatchObject([{ expired: true }]);
});

test("longer than an item may be, an entry lies in the bucket; what is left of a dead stage goes by its TTL", async () => {
  const inboxes = open();
  const long = "é".repeat(400_000);
  await add(inboxes, 0, "agent", long);
  await add(inboxes, 1);
  expect([...objects.keys()]).toEqual([expect.stringMatching(/^claims\/inbox\/in_0\//)]);
  expect(await inboxes.list("agent", 9)).toEqual([
    sampleInboxEntry(0, "agent", long),
    sampleInboxEntry(1),
  ]);
  expect(await inboxes.oldest("agent")).toMatchObject({ origin: "o0" });
  const ends = (await items()).map(({ ttl }) => Number(ttl?.N) * 1_000);
  expect(ends).toHaveLength(5);
  expect(Math.min(...ends)).toBeGreaterThan(nowMs + 90 * 86_400_000);
});
