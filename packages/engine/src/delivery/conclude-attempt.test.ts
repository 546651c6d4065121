import { RetryAfterError } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ActorQueue } from "./actor-queue.ts";
import { type BreakerState, CLOSED } from "./breaker.ts";
import { type AttemptFacts, concludeAttempt } from "./conclude-attempt.ts";
import { type DeliveryPolicy, NO_ATTEMPTS } from "./delivery.ts";
import type { QueuedDelivery } from "./route-queue.ts";
import { sampleDelivery } from "./sample-delivery.ts";
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
  openings: 1,
};

function conclude(error: unknown, changes: Partial<AttemptFacts> = {}) {
  const { openings } = changes.breaker ?? CLOSED;
  const facts = { state: NO_ATTEMPTS, breaker: CLOSED, openings, probe: false, policy, nowMs: NOW };
  return concludeAttempt({ error }, { ...facts, random: () => 0.5, ...changes });
}

test.each([
  { asked: 10_000, heldMs: 10_000 },
  { asked: 500, heldMs: 1_000 },
  { asked: 86_400_000, heldMs: 3_600_000 },
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
    expect(outcome).toMatchObject({ kind: "hold", state: { lastError: expect.any(String) } });
    expect(JSON.stringify(outcome).length).toBeLessThan(10_000);
  },
);

test("a probe that is told Retry-After is held for it, and the next cooldown grows as ever", () => {
  const changes = { breaker: HALF_OPEN, probe: true };
  const { outcome, breaker } = conclude(new RetryAfterError("busy", 10_000), changes);
  expect(outcome).toMatchObject({ kind: "hold", untilMs: NOW + 10_000, state: { attempts: 0 } });
  expect(breaker).toMatchObject({ openUntilMs: NOW + 10_000, cooldownMs: 2_000 });
});

const caused = (cause: unknown) => new Error("POST host:80: connect", { cause });
const NO_ROOM = [
  Object.assign(new Error("connect EMFILE"), { code: "EMFILE" }),
  caused(Object.assign(new Error("file table overflow"), { code: "ENFILE" })),
  caused(Object.assign(new Error("spawn EAGAIN"), { code: "EAGAIN", syscall: "spawn cat" })),
];

test.each(NO_ROOM)(
  "what was not sent for want of room ($message) is no attempt, and no failure",
  (error) => {
    const overdue = { ...NO_ATTEMPTS, uncountedSinceMs: NOW - 10 * 86_400_000 };
    for (const state of [NO_ATTEMPTS, overdue]) {
      const { outcome, breaker } = conclude(error, { state });
      expect(breaker).toBe(CLOSED);
      expect(outcome).toMatchObject({ kind: "retry", state: { attempts: 0, lastAtMs: NOW } });
      expect(outcome).toHaveProperty("state.uncountedSinceMs", state.uncountedSinceMs);
      expect(outcome.kind === "retry" && outcome.atMs).toBeGreaterThanOrEqual(NOW + 1_000);
    }
    const probe = conclude(error, { breaker: HALF_OPEN, probe: true });
    expect(probe.breaker).toEqual({ ...HALF_OPEN, probeUntilMs: null });
    expect(probe.outcome).toMatchObject({ kind: "retry", state: { attempts: 0 } });
  },
);

test("what an actor says of its own EAGAIN is a failure like any other", () => {
  const error = Object.assign(new Error("read EAGAIN"), { code: "EAGAIN", syscall: "read" });
  expect(conclude(error).breaker.openings).toBe(1);
});

test("what was under way when the breaker opened does not move it", () => {
  const open = { ...HALF_OPEN, openUntilMs: NOW + 700, probeUntilMs: null };
  const { breaker } = conclude(new RetryAfterError("busy", 10_000), { breaker: open });
  expect(breaker).toBe(open);
});

test.each([undefined, Number.NaN, -5])("a plugin's Retry-After of %s is none", (retryAfterMs) => {
  const error = Object.assign(new Error("busy"), { code: "RETRY_AFTER", retryAfterMs });
  const { outcome, breaker } = conclude(error);
  expect(outcome).toMatchObject({ kind: "hold", untilMs: NOW + 1_000 });
  expect(breaker.openUntilMs).toBe(NOW + 1_000);
});

const DAY = 86_400_000;
const twice = samplePolicy({
  retry: { ...policy.retry, maxAttempts: 1 },
  breaker: { failureThreshold: 2, cooldownMs: 1_000, maxCooldownMs: 4_000 },
});
const OPEN = { ...HALF_OPEN, openUntilMs: NOW + 700, probeUntilMs: null };
const down = new Error("down");
const busy = new RetryAfterError("busy", 10_000);
const failedOnce = { ...CLOSED, failures: 1 };

describe("with a single attempt allowed, an outage costs no event", () => {
  test.each<{ what: string; error?: Error; ends: unknown } & Partial<AttemptFacts>>([
    {
      what: "that opens the breaker",
      breaker: failedOnce,
      ends: { kind: "hold", untilMs: NOW + 1_000 },
    },
    {
      what: "in flight when the breaker opened",
      breaker: OPEN,
      openings: 0,
      ends: { kind: "hold", untilMs: NOW + 700 },
    },
    {
      what: "in flight when the breaker opened, which has closed again meanwhile",
      breaker: { ...CLOSED, openings: 1 },
      openings: 0,
      ends: { kind: "retry", atMs: NOW + 10 },
    },
    {
      what: "in flight when the breaker opened, and told to come later than the others",
      error: busy,
      breaker: OPEN,
      openings: 0,
      ends: { kind: "retry", atMs: NOW + 10_000 },
    },
    {
      what: "that is the probe",
      breaker: HALF_OPEN,
      probe: true,
      ends: { kind: "hold", untilMs: NOW + 2_000 },
    },
    { what: "answered with Retry-After", error: busy, ends: { kind: "retry", atMs: NOW + 10_000 } },
    {
      what: "answered with Retry-After, without a breaker",
      error: busy,
      policy: { ...twice, breaker: null },
      ends: { kind: "retry", atMs: NOW + 10_000 },
    },
  ])("an attempt $what does not count", ({ what: _, error = down, ends, ...changes }) => {
    const { outcome } = conclude(error, { policy: twice, ...changes });
    expect(outcome).toMatchObject({ ...(ends as object), state: { attempts: 0 } });
  });

  test("an attempt that merely fails counts", () => {
    const { outcome, breaker } = conclude(down, { policy: twice });
    expect(outcome).toMatchObject({ kind: "dead", reason: "exhausted", state: { attempts: 1 } });
    expect(breaker.failures).toBe(1);
  });

  test("what was in flight when the breaker opened is no failure of the time after it", () => {
    const again = { ...CLOSED, openings: 1, failures: 1 };
    expect(conclude(down, { policy: twice, breaker: again, openings: 0 }).breaker).toBe(again);
  });
});

test("what has failed uncounted for a day is counted from then on, and a clock set back gives it no more", () => {
  const since = (uncountedSinceMs: number) => ({
    state: { ...NO_ATTEMPTS, uncountedSinceMs },
    policy: twice,
  });
  expect(conclude(busy, since(NOW - DAY + 1)).outcome.kind).toBe("retry");
  expect(conclude(busy, since(NOW - DAY)).outcome).toMatchObject({ kind: "dead" });
  const probed = { ...since(NOW - DAY), breaker: HALF_OPEN, probe: true };
  expect(conclude(down, probed).outcome).toMatchObject({ kind: "dead" });
  const { outcome } = conclude(busy, since(NOW + DAY));
  expect(outcome).toMatchObject({ kind: "retry", state: { uncountedSinceMs: NOW } });
});

const delays = fc.array(fc.nat(5_000), { minLength: 1, maxLength: 50 });

test.each([
  { maxAttempts: 3, failureThreshold: 5 },
  { maxAttempts: 1, failureThreshold: 5 },
  { maxAttempts: 5, failureThreshold: 5 },
  { maxAttempts: 7, failureThreshold: 3 },
  { maxAttempts: 2, failureThreshold: 9 },
  { maxAttempts: 1, failureThreshold: 1 },
])("an outage costs at most ⌊(threshold - 1) / attempts⌋ events: %j", (row) => {
  const { maxAttempts, failureThreshold } = row;
  const tried = samplePolicy({
    concurrency: 16,
    retry: { ...policy.retry, maxAttempts },
    breaker: { failureThreshold, cooldownMs: 60_000, maxCooldownMs: 900_000 },
  });
  fc.assert(
    fc.property(fc.constantFrom("key", "route", "none"), delays, (order, takesMs) => {
      const lost = lettersOfAnOutage({ ...tried, order }, takesMs);
      expect(lost).toBeLessThanOrEqual(Math.floor((failureThreshold - 1) / maxAttempts));
    }),
    { numRuns: 30 },
  );
});

/**
 * How many of 40 events are given up while their actor is down for twenty hours; `takesMs`: how
 * long the attempts take, in turn.
 */
function lettersOfAnOutage(tried: DeliveryPolicy, takesMs: readonly number[]): number {
  const random = () => 0.5;
  let attempts = 0;
  const queue = new ActorQueue({ depth: 100, policies: new Map([["r", tried]]) });
  for (let n = 0; n < 40; n += 1) queue.offer(sampleDelivery("r", `k${n % 7}`, `e${n}`, NOW));
  const running: { readonly item: QueuedDelivery; readonly probe: boolean; endMs: number }[] = [];
  let letters = 0;
  for (let now = NOW; now < NOW + 72_000_000; ) {
    let next = queue.next(now);
    for (; next.kind === "attempt"; next = queue.next(now)) {
      attempts += 1;
      const endMs = now + (takesMs[attempts % takesMs.length] ?? 0);
      running.push({ item: next.item, probe: next.probe, endMs });
    }
    const wakeMs = (next.kind === "wait" ? next.atMs : null) ?? Number.POSITIVE_INFINITY;
    const first = running.toSorted((a, b) => a.endMs - b.endMs)[0];
    now = Math.min(wakeMs, first?.endMs ?? Number.POSITIVE_INFINITY);
    if (first === undefined || first.endMs > now) continue;
    running.splice(running.indexOf(first), 1);
    const { item, probe } = first;
    const facts = { state: item.state, openings: item.openings, probe, policy: tried, random };
    const breaker = queue.state("r").breaker;
    const concluded = concludeAttempt({ error: down }, { ...facts, breaker, nowMs: now });
    if (concluded.outcome.kind === "dead") letters += 1;
    queue.keepBreaker("r", concluded.breaker);
    queue.finish(item, concluded.outcome);
  }
  return letters;
}
