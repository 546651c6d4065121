// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import type { DeliveryContext, OrgLoopEvent } from "@orgloop/sdk";
import { storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { attemptsKey } from "../queue/actor-message.ts";
import type { ReceivedMessage } from "../queue/received-message.ts";
import {
  again,
  batchFixture,
  deliveryRecord,
  eventOf,
  QUEUE,
  recordOf,
  routeOf,
} from "./batch-fixture.ts";
import { deliverBatch } from "./deliver-batch.ts";

const minute = () => 60_000;
const idsOf = (records: readonly ReceivedMessage[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

function failing(ill: (event: OrgLoopEvent, context: DeliveryContext) => boolean) {
  const got: string[] = [];
  const it = batchFixture(async (event, context) => {
    got.push(event.id);
    if (ill(event, context)) throw new Error("ill");
    return undefined;
  });
  return { ...it, got };
}

test("a healthy route's delivery writes nothing, and is done with", async () => {
  const it = failing(() => false);
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  expect(await deliverBatch([record], QUEUE, minute, it.delivering)).toEqual(idsOf([]));
  expect(it.got).toEqual(["evt_1"]);
  expect(it.routeStates.writes).toBe(0);
  expect(it.attempts.records.size).toBe(0);
  expect(it.hidden).toEqual([]);
});

test("a head that waits takes its followers with it, head first and for the same time; other groups go on", async () => {
  const it = failing(({ id }) => id === "evt_1");
  const [head, follower] = [
    await deliveryRecord(it, eventOf("1"), routeOf(), "x"),
    await deliveryRecord(it, eventOf("2"), routeOf(), "x"),
  ];
  const other = await deliveryRecord(it, eventOf("3"), routeOf(), "y");
  const records = [head, follower, other] as const;
  const response = await deliverBatch(records, QUEUE, minute, it.delivering);
  expect(response).toEqual(idsOf([head, follower]));
  expect(it.got).toEqual(["evt_1", "evt_3"]);
  const handles = [head.receiptHandle, follower.receiptHandle];
  expect(it.hidden).toEqual([{ queueUrl: QUEUE, handles, seconds: 10 }]);
  // Awake too early, it is hidden again without an attempt.
  await deliverBatch([again(head)], QUEUE, minute, it.delivering);
  expect(it.got).toHaveLength(2);
});

test("of those that wake behind an open breaker one is the probe", async () => {
  const it = failing(() => true);
  const route = routeOf({ order: "none" });
  const records = await Promise.all(
    ["1", "2", "3", "4"].map((id) => deliveryRecord(it, eventOf(id), route, id)),
  );
  await deliverBatch(records.slice(0, 2), QUEUE, minute, it.delivering);
  expect(it.routeStates.states.get("r")?.breaker.openUntilMs).toBe(it.clock.now() + 60_000);
  await it.clock.advance(60_000);
  const probing = Promise.withResolvers<void>();
  let calls = 0;
  const slow = {
    ...it.delivering,
    openActor: async () => ({
      async deliver() {
        calls += 1;
        await probing.promise;
        return undefined;
      },
    }),
  };
  const batches = records.map((record) => deliverBatch([again(record)], QUEUE, minute, slow));
  await it.clock.advance(0);
  expect(calls).toBe(1);
  probing.resolve();
  await Promise.all(batches);
  expect(it.routeStates.states.get("r")?.breaker.openUntilMs).toBeNull();
});

test("what is put off says how long it has waited by then, whatever holds it up", async () => {
  const it = failing(() => true);
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  const waited = () => it.metrics.filter(([metric]) => metric === "waited").map(([, ms]) => ms);
  await deliverBatch([record], QUEUE, minute, it.delivering);
  expect(waited()).toEqual([0]);
  await it.clock.advance(7_200_000);
  const openActor = () => Promise.reject(new Error("its secret is not set"));
  await deliverBatch([again(record)], QUEUE, minute, { ...it.delivering, openActor });
  expect(waited()).toEqual([0, 7_200_000]);
});

test("a wait under a second passes here, a longer one is left to the queue", async () => {
  const retry = { ...routeOf().delivery.retry, initial_delay: "900ms" };
  const it = failing((_, { attempt }) => attempt === 1);
  const record = await deliveryRecord(it, eventOf("1"), routeOf({ retry }));
  const done = deliverBatch([record], QUEUE, minute, it.delivering);
  await it.clock.advance(900);
  expect(await done).toEqual(idsOf([]));
  expect(it.got).toHaveLength(2);
});

test("short waits of one delivery pass here for a second in all, and no other group waits for it", async () => {
  const retry = {
    ...routeOf().delivery.retry,
    max_attempts: 100,
    initial_delay: "600ms",
    max_delay: "600ms",
  };
  const route = routeOf({ retry, circuit_breaker: false });
  const it = failing(({ id }) => id === "evt_1");
  const ill = await deliveryRecord(it, eventOf("1"), route, "x");
  const well = await deliveryRecord(it, eventOf("2"), route, "y");
  const done = deliverBatch([ill, well], QUEUE, minute, it.delivering);
  await it.clock.advance(600);
  expect(await done).toEqual(idsOf([ill]));
  expect(it.got).toEqual(["evt_1", "evt_2", "evt_1"]);
  expect(it.hidden).toMatchObject([{ seconds: 1 }]);
});

test("a batch stops when the time left is under the next attempt's timeout; the first attempt gets what there is", async () => {
  const it = failing(() => false);
  let leftMs = 40_000;
  const records = await Promise.all(
    ["1", "2"].map((id) => deliveryRecord(it, eventOf(id), routeOf(), id)),
  );
  const spend = async () => {
    leftMs -= 10_000;
    return { deliver: async () => undefined };
  };
  const options = { ...it.delivering, openActor: spend };
  const response = await deliverBatch(records, QUEUE, () => leftMs, options);
  expect(response).toEqual(idsOf(records.slice(1)));
  expect(it.hidden).toMatchObject([{ seconds: 1 }]);
  leftMs = 20_000;
  expect(await deliverBatch(records.slice(1), QUEUE, () => leftMs, options)).toEqual(idsOf([]));
});

test("over its bound the oldest of each group are given up, said and buried", async () => {
  const it = failing(() => false);
  it.counted.messages = 13;
  const records = await Promise.all(
    ["1", "2", "3"].map((id) => deliveryRecord(it, eventOf(id), routeOf(), id === "3" ? "y" : "x")),
  );
  await deliverBatch(records, QUEUE, minute, { ...it.delivering, depthOf: () => 8 });
  expect(it.got).toEqual(["evt_2"]);
  const letters = await storedLetters(it.deadLetters);
  expect(letters.map(({ event_id, reason }) => `${event_id} ${reason}`)).toEqual([
    "evt_1 backpressure",
    "evt_3 backpressure",
  ]);
  expect(it.entries.filter(({ phase }) => phase === "pipeline.backpressure")).toHaveLength(2);
});

test("what comes for an actor that does not exist yet is kept, within its bound and for 13 days", async () => {
  const it = failing(() => false);
  const records = await Promise.all(
    ["1", "2", "3", "4"].map((id) => deliveryRecord(it, eventOf(id), routeOf())),
  );
  const nobody = { ...it.delivering, openActor: async () => null };
  const kept = records.slice(2);
  it.counted.messages = 1_006;
  expect(await deliverBatch(records, QUEUE, minute, nobody)).toEqual(idsOf(kept));
  const handles = kept.map(({ receiptHandle }) => receiptHandle);
  expect(it.hidden).toEqual([{ queueUrl: QUEUE, handles, seconds: 300 }]);
  it.counted.messages = 2;
  await it.clock.advance(13 * 86_400_000);
  await deliverBatch([again(records[2] as ReceivedMessage)], QUEUE, minute, nobody);
  const reasons = (await storedLetters(it.deadLetters)).map(({ event_id, reason }) => [
    event_id,
    reason,
  ]);
  expect(Object.fromEntries(reasons)).toEqual({
    evt_1: "backpressure",
    evt_2: "backpressure",
    evt_3: "expired",
  });
  const late = await deliveryRecord(it, eventOf("5"), routeOf());
  expect(await deliverBatch([late], QUEUE, minute, nobody)).toEqual(idsOf([late]));
  expect(await deliverBatch([again(late)], QUEUE, minute, it.delivering)).toEqual(idsOf([]));
  expect(it.got).toEqual(["evt_5"]);
});

test("after 13 days it is expired; a hold never lasts over 11 hours, and an hour at least from the 500th receive on", async () => {
  const it = failing(() => true);
  const old = await deliveryRecord(it, eventOf("1"), routeOf());
  const retry = { ...routeOf().delivery.retry, initial_delay: "30d", max_delay: "30d" };
  const long = await deliveryRecord(it, eventOf("2"), routeOf({ retry }), "y");
  const often = await deliveryRecord(it, eventOf("3"), routeOf(), "z");
  const many = { ...often.attributes, ApproximateReceiveCount: "500" };
  await deliverBatch([{ ...often, attributes: many }, long], QUEUE, minute, it.delivering);
  expect(it.hidden.map(({ seconds }) => seconds)).toEqual([39_600, 3_600]);
  await it.clock.advance(13 * 86_400_000);
  await deliverBatch([again(old)], QUEUE, minute, it.delivering);
  expect(await storedLetters(it.deadLetters)).toMatchObject([
    { event_id: "evt_1", reason: "expired" },
  ]);
});

test("a rated delivery is held once, for the time that was reserved for it", async () => {
  const it = failing(() => false);
  const route = routeOf({ max_rate: "1/m", order: "none" });
  const records = await Promise.all(
    ["1", "2", "3"].map((id) => deliveryRecord(it, eventOf(id), route, id)),
  );
  await deliverBatch(records, QUEUE, minute, it.delivering);
  expect(it.got).toEqual(["evt_1"]);
  expect(it.hidden.map(({ seconds }) => seconds)).toEqual([60, 120]);
  await it.clock.advance(120_000);
  await deliverBatch(records.slice(2).map(again), QUEUE, minute, it.delivering);
  expect(it.got).toEqual(["evt_1", "evt_3"]);
});

test("starts without an outcome are counted from the second receive on; too many are poison", async () => {
  const it = failing(() => false);
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  const dying = {
    ...it.delivering,
    openActor: async () => ({ deliver: () => new Promise<never>(() => {}) }),
  };
  let received = record;
  for (let death = 0; death < 4; death++) {
    void deliverBatch([received], QUEUE, () => 1_000_000, dying);
    await it.clock.advance(0);
    received = again(received);
  }
  await deliverBatch([received], QUEUE, minute, it.delivering);
  expect(it.got).toEqual([]);
  expect(await storedLetters(it.deadLetters)).toMatchObject([{ reason: "poison", attempts: 3 }]);
});

test("a delivery that was buried before the function died is not attempted again", async () => {
  const it = failing(() => true);
  const retry = { ...routeOf().delivery.retry, max_attempts: 1 };
  const record = await deliveryRecord(it, eventOf("1"), routeOf({ retry }));
  await deliverBatch([record], QUEUE, minute, it.delivering);
  expect(await deliverBatch([again(record)], QUEUE, minute, it.delivering)).toEqual(idsOf([]));
  expect(it.got).toHaveLength(1);
  expect(it.entries.at(-1)).toMatchObject({ phase: "deliver.skipped", event_id: "evt_1" });
  expect(it.metrics).toContainEqual(["skipped", 1]);
});

test("a replay that succeeds takes its letter away; one that fails adds to it", async () => {
  let ill = true;
  const it = failing(() => ill);
  const retry = { ...routeOf().delivery.retry, max_attempts: 1 };
  const route = routeOf({ retry, circuit_breaker: false });
  const deliver = async (replay?: number) => {
    const event = eventOf("1", replay === undefined ? {} : { replay });
    const record = await deliveryRecord(it, event, route);
    await deliverBatch([record], QUEUE, minute, it.delivering);
  };
  await deliver();
  await it.clock.advance(1_000);
  await deliver(1);
  const [letter] = await storedLetters(it.deadLetters);
  expect(letter).toMatchObject({ attempts: 2, first_at: "2026-01-01T00:00:00.000Z" });
  ill = false;
  await it.clock.advance(60_000);
  await deliver(2);
  expect(await storedLetters(it.deadLetters)).toEqual([]);
});

test("a store that does not answer is no attempt: the group comes again", async () => {
  const it = failing(() => false);
  const update = async () => {
    throw new Error("throttled");
  };
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  const options = { ...it.delivering, routeStates: { update } };
  expect(await deliverBatch([record], QUEUE, minute, options)).toEqual(idsOf([record]));
  expect(it.got).toEqual([]);
  expect(it.entries).toMatchObject([{ phase: "system.error", error: "throttled" }]);
});

test("what can never be read is buried as invalid, and holds up nobody", async () => {
  const it = failing(() => false);
  const bad = recordOf("{}", "k", it.clock.now());
  const good = await deliveryRecord(it, eventOf("1"), routeOf());
  expect(await deliverBatch([bad, good], QUEUE, minute, it.delivering)).toEqual(idsOf([]));
  expect(it.got).toEqual(["evt_1"]);
  expect(await storedLetters(it.deadLetters)).toMatchObject([{ reason: "invalid", route: null }]);
});

test("secrets of a route are filled in here; a text of the event is never taken for one", async () => {
  const seen: unknown[] = [];
  const it = batchFixture(async (_, { config, prompt }) => {
    seen.push(config, prompt?.text);
    return undefined;
  });
  it.parameters.set("/p/TOKEN/value", "s3cret");
  const event = eventOf("1", { payload: { title: "${TOKEN} {{payload.id}}" } });
  const withSecret = { token: "${TOKEN}", title: "{{payload.title}}" };
  const text = "{{payload.title}} {{config.token}}";
  const prompt = { file: "p.md", text, meta: { interpolate: true } };
  const route = { ...routeOf({}, withSecret), with: { prompt_file: "p.md", prompt } };
  const record = await deliveryRecord(it, event, route);
  expect(record.body).not.toContain("s3cret");
  await deliverBatch([record], QUEUE, minute, it.delivering);
  const plain = routeOf({}, { title: "filled in by the router: ${TOKEN}" });
  const filled = await deliveryRecord(it, event, { ...plain, then: { ...plain.then, config: {} } });
  await deliverBatch([filled], QUEUE, minute, it.delivering);
  const title = "${TOKEN} {{payload.id}}";
  expect(seen).toEqual([{ token: "s3cret", title }, `${title} s3cret`, {}, undefined]);
  expect(attemptsKey({ event, route: "r", replay: 0 } as never)).toMatch(/^[0-9a-f]{64}$/);
});

test("an actor that cannot be opened is ill for everybody to see: its breaker opens, longer each time, and nothing is given up", async () => {
  const it = failing(() => false);
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  const openActor = () => Promise.reject(new Error("AGENT_TOKEN is malformed"));
  const unopened = { ...it.delivering, openActor };
  expect(await deliverBatch([record], QUEUE, minute, unopened)).toEqual(idsOf([record]));
  const untilMs = () => it.routeStates.states.get("r")?.breaker.openUntilMs ?? 0;
  const first = untilMs() - it.clock.now();
  expect(first).toBeGreaterThan(0);
  const opened = it.entries.find(({ phase }) => phase === "circuit.open");
  expect(opened).toMatchObject({ route: "r", event_id: "evt_1" });
  expect(opened?.error).toMatch(/cannot be opened: AGENT_TOKEN is malformed/);
  await it.clock.advance(first);
  await deliverBatch([again(record)], QUEUE, minute, unopened);
  expect(untilMs() - it.clock.now()).toBe(2 * first);
  expect(it.got).toEqual([]);
  expect(await storedLetters(it.deadLetters)).toEqual([]);
  await it.clock.advance(2 * first);
  await deliverBatch([again(record)], QUEUE, minute, it.delivering);
  expect(it.got).toEqual(["evt_1"]);
  expect(it.routeStates.states.get("r")?.breaker.openUntilMs).toBeNull();
});

test("a store of secrets that does not answer says nothing of the actor: its breaker stays closed", async () => {
  const it = failing(() => false);
  const record = await deliveryRecord(it, eventOf("1"), routeOf());
  const fault = Object.assign(new Error("throttled"), { $metadata: {} });
  const unasked = { ...it.delivering, openActor: () => Promise.reject(fault) };
  expect(await deliverBatch([record], QUEUE, minute, unasked)).toEqual(idsOf([record]));
  expect(it.routeStates.states.get("r")?.breaker.openUntilMs ?? null).toBeNull();
});
