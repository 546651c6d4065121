import fc from "fast-check";
import { expect, test } from "vitest";
import { RATE_SLACK_MS, reserve } from "./rate-limit.ts";

const policies = fc.record({
  count: fc.integer({ min: 1, max: 1_000 }),
  perMs: fc.constantFrom(1_000, 60_000, 3_600_000),
  burst: fc.integer({ min: 1, max: 50 }),
});

test("no window holds more than burst + rate × (window + slack), whatever the arrivals", () => {
  fc.assert(
    fc.property(
      policies,
      fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 }),
      fc.integer({ min: 1, max: 100_000 }),
      (policy, gaps, windowMs) => {
        let now = 1_700_000_000_000;
        let state: number | null = null;
        const sent = gaps.map((gap) => {
          now += gap;
          const reserved = reserve(state, policy, now);
          state = reserved.state;
          expect(reserved.atMs).toBeGreaterThanOrEqual(now);
          return reserved.atMs;
        });
        const slackMs = RATE_SLACK_MS + 1;
        const allowed = policy.burst + (policy.count * (windowMs + slackMs)) / policy.perMs;
        let first = 0;
        sent.forEach((at, last) => {
          while ((sent[first] as number) < at - windowMs) first += 1;
          expect(last - first + 1).toBeLessThanOrEqual(allowed);
        });
      },
    ),
  );
});

test.each([
  [{ count: 3, perMs: 1_000, burst: 1 }, 3 * 3_600],
  [{ count: 7, perMs: 60_000, burst: 1 }, 7 * 60],
  [{ count: 100, perMs: 3_600_000, burst: 1 }, 100],
])("%j sends %i in an hour of backlog: no drift", (policy, expected) => {
  const start = 1_700_000_000_000;
  let state: number | null = null;
  let sent = 0;
  for (;;) {
    const { atMs, state: next } = reserve(state, policy, start);
    if (atMs >= start + 3_600_000 - RATE_SLACK_MS) break;
    state = next;
    sent += 1;
  }
  expect(sent).toBe(expected);
});

test("a burst goes at once after a pause, the rest evenly spaced, the first by the slack early", () => {
  const policy = { count: 2, perMs: 1_000, burst: 3 };
  let state: number | null = null;
  const at = Array.from({ length: 6 }, () => {
    const reserved = reserve(state, policy, 10_000);
    state = reserved.state;
    return reserved.atMs - 10_000;
  });
  expect(at).toEqual([0, 0, 0, 498, 998, 1_498]);
});
