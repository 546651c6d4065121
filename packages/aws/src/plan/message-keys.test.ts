import fc from "fast-check";
import { expect, test } from "vitest";
import { deliveryDedupId, deliveryGroup, eventDedupId, messageGroup } from "./message-keys.ts";
import { shardOf } from "./shards.ts";

/** What SQS allows in a message group or deduplication id (SendMessage, API reference). */
const LEGAL = /^[A-Za-z0-9!"#$%&'()*+,\-./:;<=>?@[\\\]^_`{|}~]{1,128}$/;
const text = fc.oneof(
  fc.string({ minLength: 1, unit: "grapheme", maxLength: 200 }),
  fc.constantFrom("a/b", "a", "~a", "evt_1", "evt_1.r1"),
);
const delivery = fc.record({
  eventId: text,
  route: text,
  replay: fc.nat(5),
  orderingKey: text,
  order: fc.constantFrom("key" as const, "route" as const, "none" as const),
});

test("every key is one that SQS takes", () => {
  fc.assert(
    fc.property(text, fc.nat(99_999), delivery, (id, replay, one) => {
      expect(messageGroup(id)).toMatch(LEGAL);
      expect(eventDedupId({ id, replay })).toMatch(LEGAL);
      expect(deliveryDedupId(one)).toMatch(LEGAL);
      expect(deliveryGroup(one)).toMatch(LEGAL);
    }),
  );
});

test("what is different has different keys", () => {
  fc.assert(
    fc.property(text, text, fc.nat(3), fc.nat(3), (left, right, one, other) => {
      const same = left === right;
      expect(messageGroup(left) === messageGroup(right)).toBe(same);
      expect(
        eventDedupId({ id: left, replay: one }) === eventDedupId({ id: right, replay: other }),
      ).toBe(same && one === other);
      const ids = [
        deliveryDedupId({ eventId: left, route: right, replay: one }),
        deliveryDedupId({ eventId: right, route: left, replay: other }),
      ];
      expect(ids[0] === ids[1]).toBe(same && one === other);
    }),
  );
});

test("deliveries share a group exactly where their order is kept", () => {
  fc.assert(
    fc.property(delivery, delivery, (left, right) => {
      const sameRoute = left.route === right.route && left.order === right.order;
      const together = {
        key: left.orderingKey === right.orderingKey,
        route: true,
        none: left.eventId === right.eventId && left.replay === right.replay,
      }[left.order];
      expect(deliveryGroup(left) === deliveryGroup(right)).toBe(sameRoute && together);
    }),
  );
});

test("an item keeps its shard, and shards fill evenly", () => {
  const filled = new Array(8).fill(0);
  for (let at = 0; at < 8_000; at++) filled[shardOf(`team/actor-${at}`, 8)]++;
  expect(Math.max(...filled)).toBeLessThan(1_150);
  expect(Math.min(...filled)).toBeGreaterThan(850);
  expect(shardOf("platform/reviewer", 8)).toBe(shardOf("platform/reviewer", 8));
});
