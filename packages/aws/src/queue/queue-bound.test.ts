import fc from "fast-check";
import { expect, test } from "vitest";
import { memoryState } from "../state/memory-state-fixture.ts";
import { oldestOfEachGroup, queueBound, shareOut } from "./queue-bound.ts";

test("a count serves for 5 seconds to say that there is room; what is given up has a fresh one", async () => {
  let nowMs = 0;
  let messages = 10;
  let asked = 0;
  const bound = queueBound({
    now: () => nowMs,
    givenUp: memoryState({ now: () => nowMs }).givenUp,
    async count() {
      asked += 1;
      return messages;
    },
  });
  expect(await bound.excess("q", 10, 5)).toBe(0);
  messages = 100;
  expect(await bound.excess("q", 10, 5)).toBe(0);
  expect(asked).toBe(1);
  nowMs = 5_000;
  expect(await bound.excess("q", 10, 5)).toBe(5);
  messages = 12;
  expect(await bound.excess("q", 10, 5)).toBe(0);
  expect(await bound.excess("other", 3, 5)).toBe(4);
  expect(asked).toBe(4);
});

test("functions that share a stale count give up no more than it has too many, together", async () => {
  let nowMs = 0;
  const { givenUp } = memoryState({ now: () => nowMs });
  // 1,000 may wait, 1,060 are there, of which each has 10 in hand; the count does not change.
  const given = async () => {
    const bounds = Array.from({ length: 100 }, () =>
      queueBound({ now: () => nowMs, givenUp, count: async () => 1_060 }),
    );
    const shares = await Promise.all(bounds.map((bound) => bound.excess("q", 1_000, 10)));
    return shares.reduce((sum, share) => sum + share, 0);
  };
  expect(await given()).toBe(50);
  nowMs += 30_000;
  expect(await given()).toBe(0);
  // A count that is as high a minute later is not of what was given up then.
  nowMs += 60_000;
  expect(await given()).toBe(50);
});

test("whatever the counts and clocks say, within a minute no more is given up than the highest has too many", () => {
  const calls = fc.array(
    fc.record({ over: fc.nat(100), taken: fc.integer({ min: 1, max: 10 }), later: fc.nat(20_000) }),
  );
  fc.assert(
    fc.property(calls, (all) => {
      let nowMs = 1_000_000;
      let givenUp = shareOut([], 0, 1, nowMs).givenUp;
      const shares: { atMs: number; share: number; over: number }[] = [];
      for (const { over, taken, later } of all) {
        nowMs += later;
        const after = shareOut(givenUp, over, taken, nowMs);
        givenUp = after.givenUp;
        shares.push({ atMs: nowMs, share: after.share, over });
        const lately = shares.filter(({ atMs }) => nowMs - atMs < 60_000);
        const sum = lately.reduce((total, one) => total + one.share, 0);
        expect(sum).toBeLessThanOrEqual(Math.max(...lately.map((one) => one.over)));
        expect(givenUp.length).toBeLessThan(20);
      }
    }),
  );
});

test("of each group the oldest go first, so many as are to go", () => {
  const groups = fc.array(fc.array(fc.nat(), { minLength: 1, maxLength: 5 }), { maxLength: 5 });
  fc.assert(
    fc.property(groups, fc.nat(30), (numbers, count) => {
      const messages = numbers.map((group) => group.map((n) => ({ n })));
      const chosen = oldestOfEachGroup(messages, count);
      expect(chosen.size).toBe(Math.min(count, messages.flat().length));
      const taken = messages.map((group) => group.filter((one) => chosen.has(one)).length);
      for (const [at, group] of messages.entries()) {
        // The front of each group, and none ahead of another that has more to give by two.
        expect(group.slice(0, taken[at]).every((one) => chosen.has(one))).toBe(true);
        for (const [other, rest] of messages.entries()) {
          const mine = taken[at] ?? 0;
          if ((taken[other] ?? 0) < rest.length) expect(mine - (taken[other] ?? 0)).toBeLessThan(2);
        }
      }
    }),
  );
});
