import fc from "fast-check";
import { expect, test } from "vitest";
import { attemptSlots } from "./attempt-slots.ts";

const ignore = () => {};

test("hung actors hold no more than the bound, and one that is well always finds its share", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 45 }), fc.integer({ min: 1, max: 40 }), (hung, wants) => {
      const slots = attemptSlots(100);
      const actors = Array.from({ length: hung }, () => slots.join());
      const well = slots.join();
      for (const actor of actors) {
        for (let n = 0; n < wants && actor.isFree(ignore); n += 1) actor.take();
      }
      expect(slots.inUse).toBeLessThanOrEqual(100);
      const share = Math.max(1, Math.floor(50 / (hung + 1)));
      for (let n = 0; n < share; n += 1) {
        expect(well.isFree(ignore)).toBe(true);
        well.take();
      }
      expect(slots.inUse).toBeLessThanOrEqual(100);
    }),
  );
});

test("what has found none is told when there is one, first come, first served", () => {
  const slots = attemptSlots(4);
  const [first, second, third] = [slots.join(), slots.join(), slots.join()];
  const reported: string[] = [];
  for (const actor of [first, first]) {
    expect(actor.isFree(ignore)).toBe(true);
    actor.take();
  }
  expect(first.isFree(() => reported.push("first"))).toBe(false);
  for (const actor of [second, third]) {
    expect(actor.isFree(ignore)).toBe(true);
    actor.take();
  }
  expect(second.isFree(() => reported.push("second"))).toBe(false);
  third.give();
  expect(reported).toEqual([]);
  second.give();
  expect(reported).toEqual(["second"]);
  first.give();
  expect(reported).toEqual(["second", "first"]);
});

test("an actor that is alone may have half of them", () => {
  const slots = attemptSlots(2_000);
  const actor = slots.join();
  for (let n = 0; n < 1_000; n += 1) {
    expect(actor.isFree(ignore)).toBe(true);
    actor.take();
  }
});
