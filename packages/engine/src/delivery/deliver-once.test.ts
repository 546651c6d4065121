import { type DeliverySpec, PermanentError, RetryAfterError } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { systemClock } from "../ports/clock.ts";
import { HEALTHY } from "./admit-delivery.ts";
import { CLOSED } from "./breaker.ts";
import { type DeliveryPorts, deliverOnce, poisonState, type Verdict } from "./deliver-once.ts";
import { type AttemptState, compilePolicy, isExpired, NO_ATTEMPTS } from "./delivery.ts";
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
): Promise<Verdict> {
  return turn({ state, actor: () => ({ use: () => deliver() as never }) });
}

/** One turn of a delivery whose route has no breaker, beside what is given. */
function turn({
  state = NO_ATTEMPTS,
  deaths = 0,
  ...ports
}: Partial<DeliveryPorts> & { readonly state?: AttemptState; readonly deaths?: number }) {
  const policy = compilePolicy(spec);
  const due = { delivery, state, policy, deliveryId: "d", timeoutMs: policy.timeoutMs, deaths };
  return deliverOnce(due, {
    clock: { ...systemClock, now: () => NOW, random: () => 0.5 },
    host: "process",
    admit: () => ({ kind: "attempt", probe: false, breaker: CLOSED }),
    actor: () => ({ use: async () => undefined as never }),
    begin: undefined,
    changeBreaker: (change) => ({ before: CLOSED, after: change(CLOSED) }),
    log: () => {},
    mask: (text) => text,
    onBreaker: () => {},
    onAttempted: () => {},
    ...ports,
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

test("the turn of a delivery asks poison, actor, rate and breaker before it begins an attempt", async () => {
  const asked: string[] = [];
  const ports = (hold: boolean): Partial<DeliveryPorts> => ({
    actor() {
      asked.push("actor");
      return { use: async () => void asked.push("attempt") as never };
    },
    admit() {
      asked.push("admit");
      if (!hold) return { kind: "attempt", probe: false, breaker: CLOSED };
      return { kind: "hold", by: "rate", untilMs: NOW + 1, reserved: null, state: HEALTHY };
    },
    begin: async () => void asked.push("begin"),
  });
  expect(await turn({ ...ports(false), deaths: 3 })).toMatchObject({
    kind: "dead",
    reason: "poison",
  });
  expect(asked.splice(0)).toEqual([]);
  expect(await turn(ports(true))).toMatchObject({ kind: "not admitted", hold: { by: "rate" } });
  expect(asked.splice(0)).toEqual(["actor", "admit"]);
  expect(await turn(ports(false))).toMatchObject({ kind: "delivered" });
  expect(asked.splice(0)).toEqual(["actor", "admit", "begin", "attempt"]);
  expect(await turn({ ...ports(false), actor: () => null })).toEqual({ kind: "no actor" });
});

test.each([
  [1, 1, false],
  [1, 2, true],
  [3, 2, false],
  [3, 3, true],
])(
  "with max_attempts %i and %i deaths of the host it is poison: %s",
  (max_attempts, deaths, is) => {
    const policy = compilePolicy({ ...spec, retry: { ...spec.retry, max_attempts } });
    expect(poisonState(NO_ATTEMPTS, deaths, policy, "process") !== null).toBe(is);
  },
);
