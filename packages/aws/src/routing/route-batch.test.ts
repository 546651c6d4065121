import { publicationOfReplay, routingKey } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import {
  again,
  BUS,
  batchFixture,
  eventOf,
  HISTORY,
  recordOf,
  routeOf,
} from "../delivery/batch-fixture.ts";
import { wrapBody } from "../queue/message-body.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import { routeBatch } from "./route-batch.ts";

const remaining = () => 30_000;
type Fixture = ReturnType<typeof batchFixture>;

async function onBus({ objects, clock }: Fixture, event: OrgLoopEvent): Promise<ReceivedMessage> {
  return recordOf(await wrapBody({ event }, objects, event.id), event.source, clock.now());
}

const returned = (records: readonly ReceivedMessage[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});
const historyOf = ({ recorded }: Fixture): string[] => recorded;

test("what matched goes to the actors' queues, the batch to the history, and it is settled", async () => {
  const it = batchFixture();
  const records = [await onBus(it, eventOf("1")), await onBus(it, eventOf("2"))];
  const response = await routeBatch(records, remaining, it.routing([routeOf()]));
  expect(response).toEqual(returned([]));
  expect(it.sent.map(({ queueUrl }) => queueUrl)).toEqual(
    Array(2).fill("https://sqs.test/1/agent.fifo"),
  );
  expect(new Set(it.sent.map(({ dedupId }) => dedupId)).size).toBe(2);
  const [message = ""] = historyOf(it);
  expect(JSON.parse(message).lines).toMatchObject([
    { at: "2026-01-01T00:00:00.000Z", event: { id: "evt_1" } },
    { at: "2026-01-01T00:00:00.000Z", event: { id: "evt_2" } },
  ]);
  expect([...it.stored.keys()]).toEqual([]);
});

test("after the first of a source that failed, its later ones come again too; other sources are settled", async () => {
  const it = batchFixture();
  const routes = [
    routeOf(),
    { ...routeOf(), name: "t", when: { ...routeOf().when, source: ["t"] } },
  ];
  const records = [
    await onBus(it, eventOf("1")),
    await onBus(it, eventOf("2")),
    await onBus(it, eventOf("3", { source: "t" })),
    await onBus(it, eventOf("4")),
  ];
  const options = it.routing(routes);
  const sendEach = async (url: string, messages: readonly { readonly body: string }[]) =>
    messages.map(({ body }) =>
      url !== HISTORY && body.includes("evt_2") ? new Error("not now") : null,
    );
  const response = await routeBatch(records, remaining, { ...options, sender: { sendEach } });
  const back = [records[1], records[3]] as ReceivedMessage[];
  expect(response).toEqual(returned(back));
  const handles = back.map(({ receiptHandle }) => receiptHandle);
  expect(it.hidden).toEqual([{ queueUrl: BUS, handles, seconds: 4 }]);
  // They come again, and are not taken for duplicates of themselves; what was accepted is not sent.
  expect(await routeBatch(back.map(again), remaining, options)).toEqual(returned([]));
  expect(it.sent.map(({ body = "" }) => JSON.parse(body).delivery.event.id)).toEqual(["evt_2"]);
});

test("without the history's queue nothing is settled; a bucket that refuses holds up nothing", async () => {
  const it = batchFixture();
  const records = [await onBus(it, eventOf("1"))];
  const put = async () => {
    throw new Error("no bucket");
  };
  const options = { ...it.routing([routeOf()]), objects: { ...it.objects, put } };
  const sendEach: typeof options.sender.sendEach = async (url, messages) =>
    url === HISTORY
      ? messages.map(() => new Error("not now"))
      : options.sender.sendEach(url, messages);
  const without = { ...options, sender: { sendEach } };
  expect(await routeBatch(records, remaining, without)).toEqual(returned(records));
  expect(await routeBatch(records.map(again), remaining, options)).toEqual(returned([]));
  expect([it.sent.length, it.recorded.length]).toEqual([1, 1]);
});

test("an event is routed once in 24 hours; its replays always are, under their numbers", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const route = async (event: OrgLoopEvent) => {
    await routeBatch([await onBus(it, event)], remaining, options);
    return it.sent.length;
  };
  expect(await route(eventOf("1"))).toBe(1);
  expect(await route(eventOf("1"))).toBe(1);
  expect(await route(publicationOfReplay(eventOf("1"), 1, {}))).toBe(2);
  expect(await route(publicationOfReplay(eventOf("1"), 2, { skip: ["r"] }))).toBe(2);
  expect(new Set(it.sent.map(({ dedupId }) => dedupId)).size).toBe(2);
  await it.clock.advance(86_400_000);
  expect(await route(eventOf("1"))).toBe(3);
});

test("too old, in a loop, unreadable: dead letters, and none of them is sent on", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const old = await onBus(it, eventOf("old"));
  const lost = recordOf('{"v":1,"claim_check":"claims/gone"}', "lost", it.clock.now());
  await it.clock.advance(13 * 86_400_000);
  await routeBatch([old, lost], remaining, options);
  for (const n of [1, 2, 3, 4, 5, 6]) {
    const record = await onBus(it, eventOf(`loop${n}`, { trace_id: "trc_same" }));
    await routeBatch([record], remaining, options);
  }
  const letters = await storedLetters(it.deadLetters);
  const reported = letters.map(({ event_id, reason }) => `${event_id} ${reason}`);
  expect(reported.filter((text) => !text.endsWith("invalid")).toSorted()).toEqual([
    "evt_loop5 poison",
    "evt_loop6 poison",
    "evt_old expired",
  ]);
  expect(letters).toHaveLength(4);
  expect(it.sent).toHaveLength(4);
  expect(it.entries.map(({ phase }) => phase)).toContain("loop.circuit_broken");
});

test("an event that was given up before its function died is passed over, which is said and counted", async () => {
  const it = batchFixture();
  const record = await onBus(it, eventOf("1"));
  await it.clock.advance(13 * 86_400_000);
  const options = it.routing([routeOf()]);
  await routeBatch([record], remaining, options);
  expect(await routeBatch([again(record)], remaining, options)).toEqual(returned([]));
  expect(await storedLetters(it.deadLetters)).toHaveLength(1);
  expect(it.entries.at(-1)).toMatchObject({ phase: "deliver.skipped", event_id: "evt_1" });
  expect(it.metrics).toContainEqual(["skipped", 1]);
});

test("routing that throws is poison; routing that the function never survives is, too", async () => {
  const it = batchFixture();
  const options = it.routing([routeOf()]);
  const broken = async () => {
    const router = await options.routerFor(new AbortController().signal);
    const match = () => {
      throw new Error("broken");
    };
    return { ...router, matcher: { match } };
  };
  await routeBatch([await onBus(it, eventOf("1"))], remaining, { ...options, routerFor: broken });
  let record = await onBus(it, eventOf("2"));
  for (let death = 0; death < 3; death++) {
    record = again(record);
    await it.attempts.start(routingKey("evt_2", 0));
  }
  await routeBatch([record], remaining, options);
  expect(await storedLetters(it.deadLetters)).toMatchObject([
    { event_id: "evt_1", reason: "poison", last_error: "routing failed: broken" },
    { event_id: "evt_2", reason: "poison" },
  ]);
  expect(it.sent).toEqual([]);
});

test("a fault of a route is that route's letter; the other route's delivery is sent, and the event is settled", async () => {
  const it = batchFixture();
  const bad = { ...routeOf(), name: "bad" };
  const routes = [{ ...bad, delivery: { ...bad.delivery, key: "payload.constructor" } }, routeOf()];
  const response = await routeBatch([await onBus(it, eventOf("1"))], remaining, it.routing(routes));
  expect(response).toEqual(returned([]));
  expect(it.sent).toHaveLength(1);
  expect(await storedLetters(it.deadLetters)).toMatchObject([
    { event_id: "evt_1", route: "bad", actor: "agent", reason: "invalid", untransformed: true },
  ]);
});

test("the letter of a fault is replayed by routing its event anew to its route; transforms that drop it take the letter away", async () => {
  const it = batchFixture();
  const bad = { ...routeOf(), name: "bad" };
  const faulty = { ...bad, delivery: { ...bad.delivery, key: "payload.constructor" } };
  await routeBatch([await onBus(it, eventOf("1"))], remaining, it.routing([faulty, routeOf()]));
  const replay = (n: number) => onBus(it, publicationOfReplay(eventOf("1"), n, { route: "bad" }));

  it.sent.length = 0;
  const mended = it.routing([bad, routeOf()]);
  await routeBatch([await replay(1)], remaining, mended);
  expect(it.sent.map(({ body }) => JSON.parse(body).delivery)).toMatchObject([
    { route: "bad", replay: 1 },
  ]);
  // It is the deliver function that takes it away, when the actor has it.
  expect(await storedLetters(it.deadLetters)).toHaveLength(1);

  const dropping = async () => ({
    ...(await mended.routerFor(new AbortController().signal)),
    transformsOf: () => [
      { name: "none", onError: "pass" as const, inline: false, execute: async () => null },
    ],
  });
  await routeBatch([await replay(2)], remaining, { ...mended, routerFor: dropping });
  expect(it.sent).toHaveLength(1);
  expect(await storedLetters(it.deadLetters)).toEqual([]);
});
