import fc from "fast-check";
import { expect, test } from "vitest";
import { WakeList } from "./collections.ts";

test("yields what is due, earliest first, whatever the order of adding", () => {
  const step = fc.oneof(fc.record({ atMs: fc.nat(50) }), fc.record({ dueMs: fc.nat(60) }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const list = new WakeList<number>(() => true);
      let expected: number[] = [];
      for (const one of steps) {
        if ("atMs" in one) {
          list.add(one.atMs, one.atMs);
          expected.push(one.atMs);
        } else {
          const due = expected.filter((atMs) => atMs <= one.dueMs).sort((a, b) => a - b);
          expected = expected.filter((atMs) => atMs > one.dueMs);
          expect([...list.due(one.dueMs)]).toEqual(due);
        }
        expect(list.nextMs).toBe(expected.length === 0 ? null : Math.min(...expected));
      }
    }),
  );
});

test("what is no longer wanted is forgotten before its time: it holds at most twice what is", () => {
  const wanted = new Set<number>();
  const list = new WakeList<number>((n) => wanted.has(n));
  for (let n = 0; n < 100_000; n += 1) {
    wanted.add(n);
    wanted.delete(n - 500);
    list.add(1_000_000 - n, n);
    expect(list.size).toBeLessThanOrEqual(1_001);
  }
  expect([...list.due(1_000_000)].filter((n) => wanted.has(n))).toEqual([...wanted].reverse());
});
