import { type DeliverySpec, PermanentError, RetryAfterError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { attemptDelivery } from "./attempt-delivery.ts";
import { CLOSED } from "./breaker.ts";
import { type AttemptState, NO_ATTEMPTS, type Outcome } from "./delivery.ts";
import { compilePolicy } from "./delivery-policy.ts";
import { isExpired } from "./expiry.ts";
import { sampleDelivery } from "./sample-delivery.ts";

const NOW = Date.parse("2026-11-01T01:00:00Z");

const delivery = sampleDelivery("r", "s", "evt_1", Date.parse("2026-11-01T00:00:00Z"));

const spec: DeliverySpec = {
  burst: 1,
  overflow: "drop_oldest",
  timeout: "30s",
  order: "key",
  concurrency: 16,
  retry: {
    max_attempts: 3,
    backoff: "exponential",
    initial_delay: "1s",
    max_delay: "60s",
    jitter: "none",
  },
  circuit_breaker: false,
};

function attempt(
  deliver: () => Promise<undefined>,
  state: AttemptState = NO_ATTEMPTS,
): Promise<Outcome> {
  return attemptDelivery(delivery, state, {
    policy: compilePolicy(spec),
    probe: false,
    openings: 0,
    breaker: () => CLOSED,
    keepBreaker: () => {},
    now: () => NOW,
    random: () => 0.5,
    deliver,
  });
}

const refuse = (error: unknown) => () => Promise.reject(error);

test("success is delivered, and says at which attempt", async () => {
  expect(await attempt(async () => undefined, { ...NO_ATTEMPTS, attempts: 1 })).toEqual({
    kind: "delivered",
    status: "delivered",
    attempts: 2,
  });
});

test("a failure is retried by the schedule until the attempts are used up, first and last error kept", async () => {
  let state = NO_ATTEMPTS;
  const waits: number[] = [];
  for (const message of ["one", "two"]) {
    const outcome = await attempt(refuse(new Error(message)), state);
    if (outcome.kind !== "retry") throw new Error(`expected a retry, got ${outcome.kind}`);
    waits.push(outcome.atMs - NOW);
    state = outcome.state;
  }
  expect(waits).toEqual([1_000, 2_000]);
  expect(await attempt(refuse("three"), state)).toEqual({
    kind: "dead",
    reason: "exhausted",
    state: {
      attempts: 3,
      uncountedSinceMs: null,
      firstAtMs: NOW,
      lastAtMs: NOW,
      firstError: "one",
      lastError: "three",
    },
  });
});

test("a permanent refusal is not retried, from whichever copy of the sdk", async () => {
  const foreign = Object.assign(new Error("gone"), { code: "PERMANENT" });
  for (const error of [new PermanentError("no"), foreign]) {
    expect(await attempt(refuse(error))).toMatchObject({ kind: "dead", reason: "permanent" });
  }
});

test.each([
  [500, 1_000],
  [20_000, 20_000],
  [120_000, 120_000],
  [86_400_000, 3_600_000],
])(
  "Retry-After of %i ms waits %i ms: never less than the backoff, never over max_retry_after",
  async (asked, waits) => {
    expect(await attempt(refuse(new RetryAfterError("busy", asked)))).toMatchObject({
      kind: "retry",
      atMs: NOW + waits,
      state: { attempts: 0, uncountedSinceMs: NOW },
    });
  },
);

test.each([
  [undefined, false],
  ["59m", true],
  ["1h", false],
])("an event of an hour with max_age %s: expired %s", (max_age, expired) => {
  const policy = compilePolicy({ ...spec, ...(max_age !== undefined && { max_age }) });
  expect(isExpired(delivery, policy, NOW)).toBe(expired);
});
