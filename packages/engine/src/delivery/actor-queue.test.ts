import { PermanentError } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ActorQueue } from "./actor-queue.ts";
import { circuitOf } from "./breaker.ts";
import { concludeAttempt } from "./conclude-attempt.ts";
import { type Delivery, type DeliveryPolicy, NO_ATTEMPTS } from "./delivery.ts";
import { RATE_SLACK_MS } from "./rate-limit.ts";
import type { QueuedDelivery } from "./route-queue.ts";
import { sampleDelivery } from "./sample-delivery.ts";
import { samplePolicy } from "./sample-policy.ts";

const START = 1_700_000_000_000;

function delivery(route: string, key: string, id: number, atMs: number): Delivery {
  return sampleDelivery(route, key, `evt_${id}`, atMs);
}

const policyOf = fc.record<DeliveryPolicy>({
  rate: fc.option(
    fc.record({
      count: fc.integer({ min: 1, max: 50 }),
      perMs: fc.constantFrom(1_000, 60_000),
      burst: fc.integer({ min: 1, max: 5 }),
    }),
    { freq: 2 },
  ),
  queueDepth: fc.option(fc.integer({ min: 0, max: 20 })),
  overflow: fc.constantFrom("drop_oldest", "drop_newest", "block"),
  maxAgeMs: fc.option(fc.integer({ min: 1_000, max: 300_000 }), { freq: 2 }),
  timeoutMs: fc.constant(10_000),
  order: fc.constantFrom("key", "route", "none"),
  concurrency: fc.integer({ min: 1, max: 4 }),
  retry: fc.record({
    maxAttempts: fc.integer({ min: 1, max: 4 }),
    backoff: fc.constantFrom("exponential", "linear", "fixed"),
    initialDelayMs: fc.integer({ min: 0, max: 3_000 }),
    maxDelayMs: fc.constant(5_000),
    maxRetryAfterMs: fc.constant(60_000),
    jitter: fc.constantFrom("full", "equal", "none"),
  }),
  breaker: fc.option(
    fc.record({
      failureThreshold: fc.integer({ min: 1, max: 4 }),
      cooldownMs: fc.integer({ min: 100, max: 5_000 }),
      maxCooldownMs: fc.constant(20_000),
    }),
    { freq: 4 },
  ),
});

const ROUTES = ["r0", "r1", "r2"];

const scenario = fc.record({
  depth: fc.integer({ min: 1, max: 30 }),
  policies: fc.array(policyOf, { minLength: 3, maxLength: 3 }),
  arrivals: fc.array(
    fc.record({
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2_000 })),
      route: fc.nat(2),
      key: fc.nat(3),
    }),
    { minLength: 1, maxLength: 150 },
  ),
  /** How each attempt ends, in turn: its duration and result. */
  calls: fc.infiniteStream(
    fc.record({
      takesMs: fc.integer({ min: 0, max: 4_000 }),
      ends: fc.constantFrom("ok", "ok", "fail", "fail", "refuse" as const),
    }),
  ),
  outage: fc.record({ fromMs: fc.nat(100_000), lastsMs: fc.nat(200_000) }),
});

type Fate = "delivered" | "permanent" | "exhausted" | "expired" | "backpressure" | "blocked";

interface Attempt {
  readonly route: number;
  readonly key: string;
  readonly id: string;
  readonly atMs: number;
  readonly probe: boolean;
  readonly circuit: string;
}

/** Runs a scenario to its end in simulated time. */
function simulate({ depth, policies, arrivals, calls, outage }: Example) {
  const byName = new Map(ROUTES.map((name, i) => [name, policies[i] as DeliveryPolicy]));
  const queue = new ActorQueue({ depth, policies: byName });
  const fates = new Map<string, Fate>();
  const attempts: Attempt[] = [];
  const running: { endsMs: number; item: QueuedDelivery; probe: boolean; ends: string }[] = [];
  const queuedInOrder: Delivery[] = [];
  let peak = 0;
  let now = START;

  const settle = (id: string, fate: Fate) => {
    expect(fates.has(id), `${id} settled twice`).toBe(false);
    fates.set(id, fate);
  };
  const pump = (): number | null => {
    for (;;) {
      const circuits = ROUTES.map((name) => circuitOf(queue.state(name).breaker, now));
      const next = queue.next(now);
      if (next.kind === "wait") return next.atMs;
      if (next.kind === "expired") {
        settle(next.delivery.event.id, "expired");
        continue;
      }
      const { delivery: started } = next.item;
      const route = ROUTES.indexOf(started.route);
      attempts.push({
        route,
        key: started.orderingKey,
        id: started.event.id,
        atMs: now,
        probe: next.probe,
        circuit: circuits[route] as string,
      });
      const call = calls.next().value as { takesMs: number; ends: string };
      const since = now - START - outage.fromMs;
      const down = since >= 0 && since < outage.lastsMs;
      running.push({
        endsMs: now + call.takesMs,
        item: next.item,
        probe: next.probe,
        ends: down ? "fail" : call.ends,
      });
    }
  };
  const finish = (index: number) => {
    const [ended] = running.splice(index, 1);
    if (ended === undefined) throw new Error("nothing runs");
    const { item, probe, ends } = ended;
    const { route } = item.delivery;
    const error = ends === "refuse" ? new PermanentError("no") : new Error("down");
    const { outcome, breaker } = concludeAttempt(
      ends === "ok" ? { receipt: undefined } : { error },
      {
        state: item.state,
        openings: item.openings,
        breaker: queue.state(route).breaker,
        probe,
        policy: byName.get(route) as DeliveryPolicy,
        nowMs: now,
        random: () => 0.5,
      },
    );
    if (outcome.kind === "delivered") settle(item.delivery.event.id, "delivered");
    if (outcome.kind === "dead") settle(item.delivery.event.id, outcome.reason as Fate);
    queue.keepBreaker(route, breaker);
    queue.finish(item, outcome);
  };

  let arrivalIndex = 0;
  let nextArrivalMs = START + (arrivals[0]?.gapMs ?? 0);
  for (let steps = 0; steps < 200_000; steps += 1) {
    const wakeMs = pump();
    expect(queue.inFlight).toBe(running.length);
    peak = Math.max(peak, queue.queued);
    const arrival = arrivals[arrivalIndex];
    const firstEnd = running.reduce((least, { endsMs }) => Math.min(least, endsMs), Infinity);
    const at = Math.min(arrival ? nextArrivalMs : Infinity, firstEnd, wakeMs ?? Infinity);
    if (at === Infinity) break;
    now = Math.max(now, at);
    if (arrival !== undefined && nextArrivalMs <= now) {
      const offered = delivery(
        ROUTES[arrival.route] as string,
        `k${arrival.key}`,
        arrivalIndex,
        now,
      );
      const result = queue.offer(offered, NO_ATTEMPTS);
      if (result.kind === "full") settle(offered.event.id, "blocked");
      else queuedInOrder.push(offered);
      if (result.kind === "dropped") settle(result.victim.event.id, "backpressure");
      arrivalIndex += 1;
      nextArrivalMs = now + (arrivals[arrivalIndex]?.gapMs ?? 0);
    } else if (firstEnd <= now) {
      finish(running.findIndex(({ endsMs }) => endsMs === firstEnd));
    }
  }
  return { fates, attempts, peak, queue, queuedInOrder };
}

type Example = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

test("whatever arrives and fails: nothing vanishes, order, rate, breaker and bounds hold", () => {
  fc.assert(
    fc.property(scenario, (example) => {
      const { fates, attempts, peak, queue, queuedInOrder } = simulate(example);

      // The sum is exact: everything that arrived has one fate, and nothing is left.
      expect(fates.size).toBe(example.arrivals.length);
      expect(queue.queued + queue.inFlight).toBe(0);
      const bound = Math.max(example.depth, ...example.policies.map((p) => p.queueDepth ?? 0));
      expect(peak).toBeLessThanOrEqual(bound + queueConcurrency(example));

      example.policies.forEach((policy, route) => {
        const own = attempts.filter((attempt) => attempt.route === route);
        for (const attempt of own) {
          if (policy.breaker !== null && attempt.circuit !== "closed") {
            expect(attempt.circuit).toBe("half_open");
            expect(attempt.probe).toBe(true);
          }
        }
        if (policy.rate !== null) expectRate(own, policy.rate);
        if (policy.order !== "none") expectOrder(own, policy.order, queuedInOrder);
      });
    }),
    { numRuns: 1_500 },
  );
});

function queueConcurrency({ policies }: Example): number {
  return Math.max(...policies.map(({ concurrency }) => concurrency));
}

function expectRate(own: readonly Attempt[], rate: NonNullable<DeliveryPolicy["rate"]>) {
  own.forEach((last, l) => {
    for (let f = Math.max(0, l - 60); f <= l; f += 1) {
      const windowMs = last.atMs - (own[f] as Attempt).atMs + RATE_SLACK_MS + 1;
      const count = l - f + 1;
      expect(count).toBeLessThanOrEqual(rate.burst + (rate.count * windowMs) / rate.perMs + 1e-9);
    }
  });
}

/**
 * First attempts within a lane are in the order of arrival, and nothing overtakes what is not done
 * with.
 */
function expectOrder(own: readonly Attempt[], order: "key" | "route", queued: readonly Delivery[]) {
  const position = new Map(queued.map(({ event }, i) => [event.id, i]));
  const latest = new Map<string, number>();
  for (const { key, id } of own) {
    const lane = order === "key" ? key : "";
    const at = position.get(id) as number;
    expect(at).toBeGreaterThanOrEqual(latest.get(lane) ?? -1);
    latest.set(lane, at);
  }
}

test("where another route's arrival displaces a delivery that waits for its retry, the next of its lane goes", () => {
  const policy = samplePolicy({ order: "route", retry: { maxAttempts: 2, initialDelayMs: 9 } });
  const policies = new Map(ROUTES.slice(0, 2).map((name) => [name, policy]));
  const queue = new ActorQueue({ depth: 1, policies });
  queue.offer(delivery("r0", "k", 0, START));
  const first = queue.next(START);
  if (first.kind !== "attempt") throw new Error(first.kind);
  queue.offer(delivery("r0", "k", 1, START));
  queue.finish(first.item, { kind: "retry", atMs: START + 9, state: NO_ATTEMPTS });
  expect(queue.next(START)).toMatchObject({ kind: "wait" });
  expect(queue.offer(delivery("r1", "k", 2, START))).toMatchObject({
    kind: "dropped",
    victim: { event: { id: first.item.delivery.event.id } },
  });
  const ids = [];
  for (let next = queue.next(START); next.kind === "attempt"; next = queue.next(START)) {
    ids.push(next.item.delivery.event.id);
    queue.finish(next.item, { kind: "delivered", status: "delivered", attempts: 1 });
  }
  expect(ids).toHaveLength(2);
  expect(queue.queued).toBe(0);
});

test("an outage does not empty the queue into the dead letters, and one bad key does not hold the route", () => {
  const policy = samplePolicy({
    breaker: { failureThreshold: 2, cooldownMs: 1_000, maxCooldownMs: 8_000 },
  });
  const queue = new ActorQueue({ depth: 1_000, policies: new Map([["r0", policy]]) });
  for (let i = 0; i < 100; i += 1) queue.offer(delivery("r0", `k${i % 10}`, i, START));
  let now = START;
  const done: string[] = [];
  const dead: string[] = [];
  const outageEndsMs = START + 86_400_000;
  let probes = 0;
  for (;;) {
    const next = queue.next(now);
    if (next.kind === "wait") {
      if (next.atMs === null) break;
      now = next.atMs;
      continue;
    }
    if (next.kind !== "attempt") throw new Error("nothing expires here");
    if (next.probe) probes += 1;
    const bad = now < outageEndsMs || next.item.delivery.orderingKey === "k0";
    const concluded = concludeAttempt(bad ? { error: new Error("503") } : { receipt: undefined }, {
      state: next.item.state,
      openings: next.item.openings,
      breaker: queue.state("r0").breaker,
      probe: next.probe,
      policy,
      nowMs: now,
      random: () => 0.5,
    });
    if (concluded.outcome.kind === "delivered") done.push(next.item.delivery.event.id);
    if (concluded.outcome.kind === "dead") dead.push(next.item.delivery.orderingKey);
    queue.keepBreaker("r0", concluded.breaker);
    queue.finish(next.item, concluded.outcome);
  }
  expect(done.length).toBe(90);
  expect(dead).toEqual(Array(10).fill("k0"));
  expect(probes).toBeGreaterThan(10_000);
});
