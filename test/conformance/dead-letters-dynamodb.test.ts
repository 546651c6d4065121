import { randomUUID } from "node:crypto";
import { type BatchWriteItemCommand, DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { dynamoDeadLetters, type StateTable } from "@orgloop/stores/dynamodb";
import { sampleDeadLetter } from "@orgloop/testkit";
import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import { clientConfig } from "../emulators/client-config.ts";
import { createStateTable } from "../emulators/create-state-table.ts";

let client: DynamoDBClient;
let state: StateTable;
let nowMs: number;
const now = () => nowMs;

beforeEach(async () => {
  nowMs = Date.parse("2026-11-01T00:00:00.000Z");
  client = new DynamoDBClient(clientConfig(inject("aws")));
  state = { client, table: `orgloop-state-${randomUUID()}` };
  await createStateTable(client, state.table);
});
afterEach(() => client.destroy());

const items = async () => (await client.send(new ScanCommand({ TableName: state.table }))).Items;

describe("dead letters", () => {
  const objects = new Map<string, string>();
  const bucket = {
    async put(key: string, text: string) {
      objects.set(key, text);
    },
    async get(key: string) {
      return objects.get(key) ?? Promise.reject(new Error(`no object ${key}`));
    },
  };
  const open = () => dynamoDeadLetters({ ...state, objects: bucket, now });
  beforeEach(() => objects.clear());

  test("longer than an item may be, it lies in the bucket, whole", async () => {
    const letters = open();
    const long = sampleDeadLetter(1, "é".repeat(400_000));
    await letters.put(long);
    await letters.put(sampleDeadLetter(2));
    expect(objects.size).toBe(1);
    expect(await letters.get("dl_1")).toEqual(long);
    expect(await letters.list()).toEqual([long, sampleDeadLetter(2)]);
    await letters.put(sampleDeadLetter(1, "short"));
    expect(await letters.get("dl_1")).toEqual(sampleDeadLetter(1, "short"));
    objects.clear();
    expect(await letters.listed()).toHaveLength(2);
  });

  test("listed by route, actor, reason and time, without its event", async () => {
    const letters = open();
    const some = [
      sampleDeadLetter(0),
      { ...sampleDeadLetter(1), route: "other" },
      { ...sampleDeadLetter(2), actor: "slack" },
      { ...sampleDeadLetter(3), reason: "poison" as const },
      { ...sampleDeadLetter(4), last_at: "2026-11-02T00:00:00.000Z" },
      { ...sampleDeadLetter(5), route: null, actor: null, last_error: "x".repeat(9_000) },
    ];
    for (const letter of some) await letters.put(letter);
    const ids = async (filter: Parameters<typeof letters.listed>[0]) =>
      (await letters.listed(filter)).map(({ id }) => id);
    expect(await ids({})).toEqual(some.map(({ id }) => id));
    expect(await ids({ route: "other" })).toEqual(["dl_1"]);
    expect(await ids({ actor: "slack" })).toEqual(["dl_2"]);
    expect(await ids({ reason: "poison" })).toEqual(["dl_3"]);
    expect(await ids({ since: "2026-11-01T12:00:00+01:00" })).toEqual(["dl_4"]);
    expect(await ids({ until: "2026-11-01T00:01:00Z" })).not.toContain("dl_4");
    const [listed] = await letters.listed({ route: "other" });
    const { event, first_error, ordering_key, ...shown } = { ordering_key: "", ...some[1] };
    expect(listed).toEqual({ ...shown, replayed_ms: null });
    expect((await letters.listed())[5]?.last_error).toHaveLength(500);
    expect(await letters.count()).toBe(6);
  });

  test("a replay on its way is marked until the letter comes anew", async () => {
    const letters = open();
    await letters.put(sampleDeadLetter(1));
    await letters.markReplayed("dl_1");
    await letters.markReplayed("dl_unknown");
    expect((await letters.listed()).map(({ replayed_ms }) => replayed_ms)).toEqual([nowMs]);
    await letters.put(sampleDeadLetter(1));
    expect((await letters.listed())[0]?.replayed_ms).toBeNull();
  });

  test("hundreds are spread over the partitions, listed page by page, and removed though the table throttles", async () => {
    client.middlewareStack.add(
      (next, context) => (args) =>
        next(
          context.commandName === "QueryCommand"
            ? { ...args, input: { ...args.input, Limit: 2 } as typeof args.input }
            : args,
        ),
      { step: "initialize" },
    );
    const letters = open();
    const count = 200;
    await Promise.all(Array.from({ length: count }, (_, n) => letters.put(sampleDeadLetter(n))));
    const partitions = new Map<string, number>();
    for (const { pk } of (await items()) ?? []) {
      partitions.set(String(pk?.S), (partitions.get(String(pk?.S)) ?? 0) + 1);
    }
    expect(partitions.size).toBeGreaterThan(16);
    expect(Math.max(...partitions.values())).toBeLessThan(count / 5);
    expect(await letters.listed()).toHaveLength(count);
    expect(await letters.count()).toBe(count);
    let refusals = 0;
    client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== "BatchWriteItemCommand" || refusals === 5) return next(args);
        refusals += 1;
        const requests = Object.values(
          (args.input as BatchWriteItemCommand["input"]).RequestItems ?? {},
        )[0];
        const [taken, left] = [requests?.slice(0, 3), requests?.slice(3)];
        const result = await next({
          ...args,
          input: { RequestItems: { [state.table]: taken } } as typeof args.input,
        });
        return {
          ...result,
          output: { ...result.output, UnprocessedItems: { [state.table]: left } },
        };
      },
      { step: "initialize" },
    );
    await letters.remove(Array.from({ length: count - 1 }, (_, n) => `dl_${n}`));
    expect(refusals).toBe(5);
    expect((await letters.list()).map(({ id }) => id)).toEqual([`dl_${count - 1}`]);
  });
});
