import type { BatchWriteItemCommand } from "@aws-sdk/client-dynamodb";
import { dynamoDeadLetters } from "@orgloop/aws/state";
import { memoryObjects, sampleDeadLetter, storedLetters } from "@orgloop/testkit";
import { beforeEach, describe, expect, test } from "vitest";
import { tableOfEachTest } from "./table-of-each-test.ts";

const its = tableOfEachTest();
const { now, items } = its;

describe("dead letters", () => {
  const objects = memoryObjects();
  const open = () => dynamoDeadLetters({ ...its.state, objects, now });
  beforeEach(() => objects.stored.clear());

  test("longer than an item may be, it lies in the bucket, whole", async () => {
    const letters = open();
    const long = sampleDeadLetter(1, "é".repeat(400_000));
    await letters.put(long);
    await letters.put(sampleDeadLetter(2));
    expect(objects.stored.size).toBe(1);
    expect(await letters.get("dl_1")).toEqual(long);
    expect(await storedLetters(letters)).toEqual([long, sampleDeadLetter(2)]);
    await letters.put(sampleDeadLetter(1, "short"));
    expect(await letters.get("dl_1")).toEqual(sampleDeadLetter(1, "short"));
    objects.stored.clear();
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
    expect((await letters.listed()).map(({ replayed_ms }) => replayed_ms)).toEqual([its.nowMs]);
    await letters.put(sampleDeadLetter(1));
    expect((await letters.listed())[0]?.replayed_ms).toBeNull();
  });

  test("hundreds are spread over the partitions, listed page by page, and removed though the table throttles", async () => {
    its.state.client.middlewareStack.add(
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
    for (const { pk } of await items()) {
      partitions.set(String(pk?.S), (partitions.get(String(pk?.S)) ?? 0) + 1);
    }
    expect(partitions.size).toBeGreaterThan(16);
    expect(Math.max(...partitions.values())).toBeLessThan(count / 5);
    expect(await letters.listed()).toHaveLength(count);
    expect(await letters.count()).toBe(count);
    let refusals = 0;
    its.state.client.middlewareStack.add(
      (next, context) => async (args) => {
        if (context.commandName !== "BatchWriteItemCommand" || refusals === 5) return next(args);
        refusals += 1;
        const requests = Object.values(
          (args.input as BatchWriteItemCommand["input"]).RequestItems ?? {},
        )[0];
        const [taken, left] = [requests?.slice(0, 3), requests?.slice(3)];
        const result = await next({
          ...args,
          input: { RequestItems: { [its.state.table]: taken } } as typeof args.input,
        });
        return {
          ...result,
          output: { ...result.output, UnprocessedItems: { [its.state.table]: left } },
        };
      },
      { step: "initialize" },
    );
    await letters.remove(Array.from({ length: count - 1 }, (_, n) => `dl_${n}`));
    expect(refusals).toBe(5);
    expect((await storedLetters(letters)).map(({ id }) => id)).toEqual([`dl_${count - 1}`]);
  });
});
