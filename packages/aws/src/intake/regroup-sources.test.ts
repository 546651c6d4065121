import { expect, test } from "vitest";
import { again, BUS, batchFixture, eventOf, recordOf, routeOf } from "../delivery/batch-fixture.ts";
import { messageGroup } from "../plan/message-keys.ts";
import { wrapBody } from "../queue/message-body.ts";
import type { FifoMessage } from "../queue/sqs-sender.ts";
import { routeBatch } from "../routing/route-batch.ts";
import { groupedSources } from "./grouped-sources.ts";
import { sourceRegrouping } from "./regroup-sources.ts";

const MINUTE = 60_000;

function regrouping(to: "key" | "source", onBus: () => number = () => 1) {
  const it = batchFixture();
  const marks: FifoMessage[] = [];
  const { groupings } = it;
  const look = sourceRegrouping({
    wanted: new Map([["s", to]]),
    groupings,
    sendToBus: async (message) => void marks.push(message),
    countBus: async () => onBus(),
    now: it.clock.now,
  });
  const groups = async () => {
    const spec = { id: "s", connector: "c", config: {}, key: "payload.key" };
    const keyed = to === "key" ? ["s"] : [];
    const flow = { log: () => {} };
    const keyOf = await groupedSources({ sources: [spec], keyed, groupings, flow })("s");
    return ["a", "b"].map((key) => messageGroup("s", keyOf(eventOf(key, { payload: { key } }))));
  };
  return { ...it, marks, look, groups };
}

test("a source is grouped by key when the router has come to the mark behind what it had on the bus", async () => {
  const it = regrouping("key");
  await it.look();
  // Nobody publishes any more by what was deployed before.
  await it.clock.advance(9 * MINUTE);
  await it.look();
  expect(it.marks).toEqual([]);
  await it.clock.advance(MINUTE);
  await it.look();
  const [mark] = it.marks;
  expect(mark?.group).toBe("s");
  expect(new Set(await it.groups())).toEqual(new Set(["s"]));

  const ahead = recordOf(
    await wrapBody({ event: eventOf("1") }, it.objects, "1"),
    "s",
    it.clock.now(),
  );
  const marked = recordOf(mark?.body ?? "", "s", it.clock.now());
  const options = it.routing([routeOf()]);
  const sendEach: typeof options.sender.sendEach = async (_, all) =>
    all.map(() => new Error("not now"));
  // What stands before it comes again, and so does the mark.
  const refused = { ...options, sender: { sendEach } };
  const { batchItemFailures } = await routeBatch([ahead, marked], () => 30_000, refused);
  expect(batchItemFailures).toHaveLength(2);
  expect(new Set(await it.groups())).toEqual(new Set(["s"]));

  await routeBatch([ahead, marked].map(again), () => 30_000, options);
  const [a, b] = await it.groups();
  expect(a).not.toBe(b);
  expect(it.sent).toHaveLength(1);
  await it.look();
  await it.look();
  expect(it.marks).toHaveLength(1);
});

test("keys become one group when the bus holds nothing, twice in a row", async () => {
  let onBus = 1;
  const it = regrouping("source", () => onBus);
  await it.groupings.begin("s", "key");
  await it.look();
  await it.clock.advance(11 * MINUTE);
  await it.look();
  expect(new Set(await it.groups()).size).toBe(2);
  onBus = 0;
  await it.look();
  expect(new Set(await it.groups()).size).toBe(2);
  await it.look();
  expect(new Set(await it.groups())).toEqual(new Set(["s"]));
});

test("what is taken back before it came into force never does", async () => {
  const it = regrouping("key");
  await it.look();
  await it.clock.advance(11 * MINUTE);
  await it.look();
  const back = regrouping("source");
  const look = sourceRegrouping({
    wanted: new Map([["s", "source"]]),
    groupings: it.groupings,
    sendToBus: async () => {},
    countBus: async () => 0,
    now: it.clock.now,
  });
  await look();
  const marked = recordOf(it.marks[0]?.body ?? "", "s", it.clock.now());
  await routeBatch([marked], () => 30_000, it.routing([]));
  expect((await it.groupings.load(["s"])).get("s")).toMatchObject({ by: "source", to: null });
  expect(back.marks).toEqual([]);
});

test("where the table cannot be asked, events are taken in as deployed", async () => {
  const it = regrouping("key");
  const load = () => Promise.reject(new Error("throttled"));
  const lines: unknown[] = [];
  const keyOf = groupedSources({
    sources: [{ id: "s", connector: "c", config: {}, key: "payload.key" }],
    keyed: ["s"],
    groupings: { load },
    flow: { log: (entry) => lines.push(entry) },
  });
  expect((await keyOf("s"))(eventOf("a", { payload: { key: "a" } }))).toBe("a");
  expect(lines).toHaveLength(1);
  expect(BUS).toContain("bus");
  expect(it.marks).toEqual([]);
});
