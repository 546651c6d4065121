import { RetryAfterError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { type BreakerState, CLOSED } from "./breaker.ts";
import { type AttemptFacts, concludeAttempt } from "./conclude-attempt.ts";
import { NO_ATTEMPTS } from "./delivery.ts";
import { samplePolicy } from "./sample-policy.ts";

const NOW = 1_700_000_000_000;

const policy = samplePolicy({
  breaker: { failureThreshold: 1, cooldownMs: 1_000, maxCooldownMs: 4_000 },
});

const HALF_OPEN: BreakerState = {
  failures: 0,
  openUntilMs: NOW - 1,
  cooldownMs: 1_000,
  probeUntilMs: NOW + 1_000,
};

function conclude(error: unknown, changes: Partial<AttemptFacts> = {}) {
  const facts = { state: NO_ATTEMPTS, breaker: CLOSED, probe: false, policy, nowMs: NOW };
  return concludeAttempt({ error }, { ...facts, random: () => 0.5, ...changes });
}

test.each([
  { asked: 10_000, heldMs: 10_000 },
  { asked: 500, heldMs: 1_000 },
  { asked: 3_600_000, heldMs: 60_000 },
])("a breaker that opens on Retry-After of $asked ms holds the route for $heldMs ms", (row) => {
  const { breaker } = conclude(new RetryAfterError("busy", row.asked));
  expect(breaker).toMatchObject({ openUntilMs: NOW + row.heldMs, cooldownMs: 1_000 });
});

test.each([
  { what: "a message of a megabyte", error: new Error("x".repeat(1_000_000)) },
  { what: "an object without a text", error: Object.create(null) },
  { what: "a message that is none", error: Object.assign(new Error(), { message: { a: 1 } }) },
  { what: "nothing", error: undefined },
])(
  "an actor that throws $what has failed, and the error that is kept is a short text",
  ({ error }) => {
    const { outcome } = conclude(error);
    expect(outcome).toMatchObject({ kind: "retry", state: { lastError: expect.any(String) } });
    expect(JSON.stringify(outcome).length).toBeLessThan(10_000);
  },
);

test("a probe that is told Retry-After is held for it, and the next cooldown grows as ever", () => {
  const changes = { breaker: HALF_OPEN, probe: true };
  const { outcome, breaker } = conclude(new RetryAfterError("busy", 10_000), changes);
  expect(outcome).toMatchObject({ kind: "hold", untilMs: NOW + 10_000, state: { attempts: 0 } });
  expect(breaker).toMatchObject({ openUntilMs: NOW + 10_000, cooldownMs: 2_000 });
});

test("what was under way when the breaker opened does not move it", () => {
  const open = { ...HALF_OPEN, openUntilMs: NOW + 700, probeUntilMs: null };
  const { breaker } = conclude(new RetryAfterError("busy", 10_000), { breaker: open });
  expect(breaker).toBe(open);
});

test.each([undefined, Number.NaN, -5])("a plugin's Retry-After of %s is none", (retryAfterMs) => {
  const error = Object.assign(new Error("busy"), { code: "RETRY_AFTER", retryAfterMs });
  const { outcome, breaker } = conclude(error);
  expect(outcome).toMatchObject({ kind: "retry", atMs: NOW + 10 });
  expect(breaker.openUntilMs).toBe(NOW + 1_000);
});
