import fc from "fast-check";
import { expect, test } from "vitest";
import { holdSeconds } from "./hold-time.ts";

test("whole seconds, never early, at most 11 hours; long from the 500th receive on", () => {
  const times = fc.tuple(fc.nat(2 ** 40), fc.integer({ min: -10_000, max: 2 ** 36 }));
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: 1000 }), ([nowMs, waitMs], receives) => {
      const seconds = holdSeconds(nowMs + waitMs, nowMs, receives);
      expect(Number.isInteger(seconds)).toBe(true);
      expect(seconds).toBeGreaterThanOrEqual(receives >= 500 ? 3_600 : 1);
      expect(seconds).toBeLessThanOrEqual(39_600);
      expect(seconds * 1_000 >= waitMs || seconds === 39_600).toBe(true);
    }),
  );
});

test("the receives that the redrive policy allows outlast the retention", () => {
  let hours = 0;
  for (let receives = 500; receives < 1000; receives++)
    hours += holdSeconds(0, 0, receives) / 3_600;
  expect(hours).toBeGreaterThan(14 * 24);
});
