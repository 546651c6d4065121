// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references are what is tested

import { storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { again, batchFixture, deliveryRecord, eventOf, QUEUE, routeOf } from "./batch-fixture.ts";
import { deliverBatch } from "./deliver-batch.ts";

const minute = () => 60_000;
const DAY_MS = 86_400_000;

test.each([
  ["a secret of its config", { token: "${UNSET}" }, {}],
  ["a secret of its inbox", { inbox: true, session_key: "${UNSET}" }, {}],
  ["a secret of its policy", {}, { max_age: "${UNSET}" }],
])(
  "what waits 13 days because %s is not set is a dead letter, before SQS drops it",
  async (_, config, delivery) => {
    const it = batchFixture();
    const record = await deliveryRecord(it, eventOf("1"), routeOf(delivery, config));
    const held = await deliverBatch([record], QUEUE, minute, it.delivering);
    expect(held.batchItemFailures).toHaveLength(1);
    await it.clock.advance(13 * DAY_MS);
    const done = await deliverBatch([again(record)], QUEUE, minute, it.delivering);
    expect(done).toEqual({ batchItemFailures: [] });
    expect(await storedLetters(it.deadLetters)).toMatchObject([
      { event_id: "evt_1", route: "r", reason: "expired" },
    ]);
  },
);

test("what cannot be fetched from the bucket for 13 days is a dead letter that says where it lies", async () => {
  const it = batchFixture();
  const event = eventOf("1", { payload: { text: "x".repeat(300_000) } });
  const record = await deliveryRecord(it, event, routeOf());
  const get = () => Promise.reject(new Error("AccessDenied"));
  const delivering = { ...it.delivering, objects: { get } };
  const held = await deliverBatch([record], QUEUE, minute, delivering);
  expect(held.batchItemFailures).toHaveLength(1);
  await it.clock.advance(13 * DAY_MS);
  const done = await deliverBatch([again(record)], QUEUE, minute, delivering);
  expect(done).toEqual({ batchItemFailures: [] });
  const [letter] = await storedLetters(it.deadLetters);
  expect(letter).toMatchObject({ reason: "invalid", last_error: "AccessDenied" });
  expect(letter?.event.payload.body).toContain("claims/");
});

test("an event that was a dead letter is delivered when it is published anew, also behind one that waited", async () => {
  const got: string[] = [];
  const it = batchFixture(async ({ id, payload }) => {
    if (payload.ill === true) throw new Error("ill");
    got.push(id);
    return undefined;
  });
  const retry = { ...routeOf().delivery.retry, max_attempts: 1 };
  const route = routeOf({ retry, circuit_breaker: false });
  const first = await deliveryRecord(it, eventOf("1", { payload: { ill: true } }), route);
  expect(await deliverBatch([first], QUEUE, minute, it.delivering)).toEqual({
    batchItemFailures: [],
  });
  expect(await storedLetters(it.deadLetters)).toHaveLength(1);
  await it.clock.advance(DAY_MS);
  // Received before, as a follower of what had to wait.
  const second = again(await deliveryRecord(it, eventOf("1", { payload: { ill: false } }), route));
  expect(await deliverBatch([second], QUEUE, minute, it.delivering)).toEqual({
    batchItemFailures: [],
  });
  expect(got).toEqual(["evt_1"]);
});
