import { PermanentError, RetryAfterError } from "@orgloop/sdk";
import { storedLetters } from "@orgloop/testkit";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ReceivedMessage } from "../queue/received-message.ts";
import { again, batchFixture, deliveryRecord, eventOf, QUEUE, routeOf } from "./batch-fixture.ts";
import { type DeliverBatchOptions, deliverBatch } from "./deliver-batch.ts";

const minute = () => 60_000;
const idsOf = (records: readonly ReceivedMessage[]) => ({
  batchItemFailures: records.map(({ messageId }) => ({ itemIdentifier: messageId })),
});

/** An actor whose calls end when and as the test says. */
function pending() {
  const calls: { readonly id: string; readonly end: (error?: Error) => void }[] = [];
  const it = batchFixture((event) => {
    const { promise, resolve, reject } = Promise.withResolvers<undefined>();
    const end = (error?: Error) => (error === undefined ? resolve(undefined) : reject(error));
    calls.push({ id: event.id, end });
    return promise;
  });
  const records = (groups: string, route = routeOf({ concurrency: 80 })) =>
    Promise.all(
      [...groups].map((group, at) => deliveryRecord(it, eventOf(String(at)), route, group)),
    );
  return { ...it, calls, records, ids: () => calls.map(({ id }) => id) };
}

test("a delivery that hangs does not keep another group's waiting", async () => {
  const it = pending();
  const records = await it.records("xxyyz");
  const done = deliverBatch(records, QUEUE, minute, it.delivering);
  await it.clock.advance(0);
  expect(it.ids()).toEqual(["evt_0", "evt_2", "evt_4"]);
  it.calls[1]?.end();
  await it.clock.advance(0);
  expect(it.ids()).toEqual(["evt_0", "evt_2", "evt_4", "evt_3"]);
  for (const { end } of it.calls.slice(2)) end();
  await it.clock.advance(31_000);
  expect(await done).toEqual(idsOf(records.slice(0, 2)));
  expect(it.hidden).toMatchObject([{ handles: records.slice(0, 2).map((r) => r.receiptHandle) }]);
});

test("what is done with does not lock its group while another delivery hangs", async () => {
  const it = pending();
  const records = await it.records("xyyz");
  const done = deliverBatch(records, QUEUE, minute, it.delivering);
  await it.clock.advance(0);
  it.calls[1]?.end();
  await it.clock.advance(500);
  it.calls[3]?.end(new Error("ill"));
  await it.clock.advance(500);
  expect(it.removed).toEqual([]);
  await it.clock.advance(1_000);
  expect(it.removed).toEqual([{ queueUrl: QUEUE, handles: [records[1]?.receiptHandle] }]);
  it.calls[2]?.end();
  it.calls[0]?.end();
  expect(await done).toEqual(idsOf(records.slice(2, 3)));
  // What ends with the batch is left to Lambda.
  expect(it.removed).toHaveLength(1);
});

test("no more at once than the routes of the batch allow, shared with the other invocations", async () => {
  const it = pending();
  const attempted = async (concurrency: number) => {
    const records = await it.records("uvwxyz", routeOf({ concurrency }));
    const before = it.calls.length;
    const done = deliverBatch(records, QUEUE, minute, it.delivering);
    await it.clock.advance(0);
    const atOnce = it.calls.length - before;
    for (let at = before; at < it.calls.length; at++) {
      it.calls[at]?.end();
      await it.clock.advance(0);
    }
    await done;
    return atOnce;
  };
  expect([await attempted(1), await attempted(16), await attempted(40)]).toEqual([1, 2, 5]);
});

test("the others of a batch wait for their route's probe, and go on as soon as it has succeeded", async () => {
  const it = pending();
  const records = await it.records("xyz", routeOf({ concurrency: 80 }));
  const failing = deliverBatch(records, QUEUE, minute, it.delivering);
  await it.clock.advance(0);
  for (const { end } of it.calls) end(new Error("ill"));
  await failing;
  await it.clock.advance(60_000);
  const done = deliverBatch(records.map(again), QUEUE, minute, it.delivering);
  await it.clock.advance(0);
  expect(it.ids().slice(3)).toEqual(["evt_0"]);
  it.calls[3]?.end();
  await it.clock.advance(0);
  expect(it.ids().slice(4)).toEqual(["evt_1", "evt_2"]);
  for (const { end } of it.calls.slice(4)) end();
  expect(await done).toEqual(idsOf([]));
});

test("what the function may have died of is attempted by itself, and its neighbours are not taken for it", async () => {
  const it = pending();
  const route = routeOf({
    concurrency: 80,
    circuit_breaker: false,
    retry: { ...routeOf().delivery.retry, max_attempts: 1 },
  });
  const records = await it.records("xyz", route);
  // Twice the function dies while all three are under way.
  let received = records;
  for (let death = 0; death < 2; death++) {
    void deliverBatch(received, QUEUE, minute, it.delivering);
    await it.clock.advance(0);
    received = received.map(again);
  }
  const before = it.calls.length;
  const done = deliverBatch(received, QUEUE, minute, it.delivering);
  for (const expected of ["evt_0", "evt_1", "evt_2"]) {
    await it.clock.advance(0);
    const [call, ...others] = it.calls.slice(before + Number(expected.at(-1)));
    expect([call?.id, others]).toEqual([expected, []]);
    call?.end();
  }
  expect(await done).toEqual(idsOf([]));
  expect(await storedLetters(it.deadLetters)).toEqual([]);
});

const ENDS = {
  ok: undefined,
  later: new Error("ill"),
  never: new PermanentError("refused"),
  asked: new RetryAfterError("busy", 60_000),
};

test("whatever ends first: order within a group holds, and every message is settled or comes again, once", async () => {
  const batch = fc.array(
    fc.record({
      group: fc.constantFrom("x", "y", "z", "w"),
      end: fc.constantFrom<keyof typeof ENDS>("ok", "ok", "ok", "later", "never", "asked"),
      receives: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 1, maxLength: 10 },
  );
  const policy = fc.record({
    concurrency: fc.constantFrom(1, 4, 24, 100),
    max_rate: fc.constantFrom(undefined, "1/m"),
    circuit_breaker: fc.constantFrom(false as const, routeOf().delivery.circuit_breaker),
  });
  await fc.assert(
    fc.asyncProperty(batch, policy, fc.scheduler(), async (messages, changes, scheduler) => {
      const { max_rate, ...others } = changes;
      const route = routeOf(max_rate === undefined ? others : { ...others, max_rate });
      const called: string[] = [];
      const settled: string[] = [];
      const it = batchFixture(async ({ id }) => {
        called.push(id);
        const { end } = messages[Number(id.slice(4))] as (typeof messages)[number];
        await scheduler.schedule(Promise.resolve(), id);
        const error = ENDS[end];
        if (error !== undefined) throw error;
        settled.push(id);
        return undefined;
      });
      const records = await Promise.all(
        messages.map(async ({ group, receives }, at) => {
          let record = await deliveryRecord(it, eventOf(String(at)), route, group);
          for (let more = 1; more < receives; more++) record = again(record);
          return record;
        }),
      );
      const options: DeliverBatchOptions = it.delivering;
      const done = deliverBatch(records, QUEUE, minute, options);
      const { batchItemFailures } = await scheduler.waitFor(done);
      const returned = batchItemFailures.map(({ itemIdentifier }) =>
        records.findIndex(({ messageId }) => messageId === itemIdentifier),
      );
      const buried = (await storedLetters(it.deadLetters)).map(({ event_id }) => event_id);
      const ended = [...settled, ...buried, ...returned.map((at) => `evt_${at}`)];
      expect(ended.toSorted()).toEqual(messages.map((_, at) => `evt_${at}`).toSorted());
      const hidden = it.hidden.flatMap(({ handles }) => handles);
      expect(hidden.toSorted()).toEqual(
        returned.map((at) => records[at]?.receiptHandle).toSorted(),
      );
      for (const group of ["x", "y", "z", "w"]) {
        const mine = messages.flatMap((one, at) => (one.group === group ? [`evt_${at}`] : []));
        const attempts = called.filter((id) => mine.includes(id));
        expect(attempts).toEqual(mine.slice(0, attempts.length));
        const back = mine.filter((id) => returned.includes(Number(id.slice(4))));
        expect(back).toEqual(mine.slice(mine.length - back.length));
      }
    }),
    { numRuns: 60 },
  );
});
