import fc from "fast-check";
import { expect, test } from "vitest";
import { deliveryConcurrency } from "./delivery-concurrency.ts";

test("what is allowed is shared out: first two of a batch at once, eight invocations, then more of a batch", () => {
  const shared = (concurrency: number) => {
    const { invocations, together } = deliveryConcurrency(concurrency);
    return `${invocations} × ${together}`;
  };
  expect([1, 3, 4, 16, 32, 100, 2_000].map(shared)).toEqual([
    "2 × 1",
    "3 × 1",
    "2 × 2",
    "8 × 2",
    "8 × 4",
    "10 × 10",
    "200 × 10",
  ]);
});

test("never more than allowed, and three quarters of it at least", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 20_000 }), (concurrency) => {
      const { invocations, together } = deliveryConcurrency(concurrency);
      expect(invocations * together).toBeLessThanOrEqual(concurrency);
      expect(invocations * together).toBeGreaterThanOrEqual(0.75 * concurrency);
    }),
  );
});
