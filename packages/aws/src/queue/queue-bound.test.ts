import fc from "fast-check";
import { expect, test } from "vitest";
import { oldestOfEachGroup, queueBound } from "./queue-bound.ts";

test("a count serves for 5 seconds to say that there is room; what is given up has a fresh one", async () => {
  let nowMs = 0;
  let messages = 10;
  let asked = 0;
  const bound = queueBound({
    now: () => nowMs,
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
