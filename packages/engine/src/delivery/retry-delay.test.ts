import fc from "fast-check";
import { expect, test } from "vitest";
import type { RetryPolicy } from "./delivery.ts";
import { retryDelayMs } from "./retry-delay.ts";

const policy: RetryPolicy = {
  maxAttempts: 10,
  backoff: "exponential",
  initialDelayMs: 1_000,
  maxDelayMs: 60_000,
  maxRetryAfterMs: 3_600_000,
  jitter: "none",
};

test.each([
  ["exponential", [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]],
  ["linear", [1_000, 2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000]],
  ["fixed", [1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000]],
] as const)("%s", (backoff, expected) => {
  expect(expected.map((_, n) => retryDelayMs({ ...policy, backoff }, n + 1, () => 0.5))).toEqual(
    expected,
  );
});

test("jitter stays within its share of the capped delay, also after very many failures", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("exponential", "linear", "fixed" as const),
      fc.integer({ min: 1, max: 5_000 }),
      fc.double({ min: 0, max: 0.999_999, noNaN: true }),
      (backoff, failures, random) => {
        const bare = retryDelayMs({ ...policy, backoff }, failures, () => random);
        const full = retryDelayMs({ ...policy, backoff, jitter: "full" }, failures, () => random);
        const equal = retryDelayMs({ ...policy, backoff, jitter: "equal" }, failures, () => random);
        expect(bare).toBeLessThanOrEqual(policy.maxDelayMs);
        expect(full).toBeGreaterThanOrEqual(0);
        expect(full).toBeLessThanOrEqual(bare);
        expect(equal).toBeGreaterThanOrEqual(Math.floor(bare / 2));
        expect(equal).toBeLessThanOrEqual(bare);
      },
    ),
  );
});

test("no delay stays none, also after very many failures", () => {
  for (const backoff of ["exponential", "linear", "fixed"] as const) {
    expect(retryDelayMs({ ...policy, backoff, initialDelayMs: 0 }, 5_000, () => 0.5)).toBe(0);
  }
});
