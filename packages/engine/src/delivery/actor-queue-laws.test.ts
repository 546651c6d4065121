import fc from "fast-check";
import { expect, test } from "vitest";
import { ActorQueue } from "./actor-queue.ts";
import { HEALTHY } from "./admit-delivery.ts";
import { type BreakerState, CLOSED, circuitOf } from "./breaker.ts";
import { concludeAttempt } from "./conclude-attempt.ts";
import { type Delivery, type DeliveryPolicy, NO_ATTEMPTS } from "./delivery.ts";
import type { QueuedDelivery } from "./route-queue.ts";
import { sampleDelivery } from "./sample-delivery.ts";
import { samplePolicy } from "./sample-policy.ts";

const NOW = 1_700_000_000_000;

const PLAIN = samplePolicy({ retry: { initialDelayMs: 60_000 } });

const BREAKER = { failureThreshold: 2, cooldownMs: 1_000, maxCooldownMs: 8_000 };

function policiesOf(routes: Readonly<Record<string, Partial<DeliveryPolicy>>>) {
  return new Map(Object.entries(routes).map(([name, change]) => [name, { ...PLAIN, ...change }]));
}

function delivery(route: string, id: string, key = "k", change: Partial<Delivery> = {}): Delivery {
  return { ...sampleDelivery(route, key, id, NOW), ...change };
}

type Policies = ReadonlyMap<string, DeliveryPolicy>;

function finish(
  queue: ActorQueue,
  policies: Policies,
  { item, probe }: { item: QueuedDelivery; probe: boolean },
  failed: boolean,
  nowMs: number,
) {
  const { route } = item.delivery;
  const { outcome, breaker } = concludeAttempt(
    failed ? { error: new Error("down") } : { receipt: undefined },
    {
      state: item.state,
      openings: item.openings,
      breaker: queue.state(route).breaker,
      probe,
      policy: policies.get(route) as DeliveryPolicy,
      nowMs,
      random: () => 0.5,
    },
  );
  queue.keepBreaker(route, breaker);
  queue.finish(item, outcome);
  return outcome;
}

test("routes take turns: while two have something to send, neither is ahead by more than one", () => {
  const counts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 2, maxLength: 5 });
  fc.assert(
    fc.property(counts, fc.integer({ min: 1, max: 4 }), (sizes, concurrency) => {
      const names = sizes.map((_, i) => `r${i}`);
      const policies = policiesOf(
        Object.fromEntries(names.map((name) => [name, { order: "none", concurrency }])),
      );
      const queue = new ActorQueue({ depth: 1_000, policies });
      for (const [i, size] of sizes.entries()) {
        for (let n = 0; n < size; n += 1) queue.offer(delivery(`r${i}`, `${i}/${n}`));
      }
      const sent = sizes.map(() => 0);
      const running: { item: QueuedDelivery; probe: boolean }[] = [];
      for (;;) {
        const next = queue.next(NOW);
        if (next.kind === "attempt") {
          running.push(next);
          const route = names.indexOf(next.item.delivery.route);
          sent[route] = (sent[route] as number) + 1;
          const unfinished = sent.filter((count, i) => count < (sizes[i] as number));
          if (unfinished.length > 1) {
            expect(Math.max(...unfinished) - Math.min(...unfinished)).toBeLessThanOrEqual(1);
          }
          continue;
        }
        const first = running.shift();
        if (first === undefined) break;
        finish(queue, policies, first, false, NOW);
      }
      expect(sent).toEqual(sizes);
    }),
  );
});

test("attempts in flight: as many as route and actor allow, no more", () => {
  const limit = fc.integer({ min: 1, max: 5 });
  fc.assert(
    fc.property(fc.array(limit, { minLength: 1, maxLength: 4 }), fc.nat(8), (limits, finished) => {
      const policies = policiesOf(
        Object.fromEntries(
          limits.map((concurrency, i) => [`r${i}`, { order: "none", concurrency }]),
        ),
      );
      const queue = new ActorQueue({ depth: 1_000, policies });
      for (let n = 0; n < 20 * limits.length; n += 1) {
        queue.offer(delivery(`r${n % limits.length}`, `e${n}`));
      }
      const running: { item: QueuedDelivery; probe: boolean }[] = [];
      const start = () => {
        for (let next = queue.next(NOW); next.kind === "attempt"; next = queue.next(NOW)) {
          running.push(next);
        }
        expect(running).toHaveLength(Math.max(...limits));
        for (const [i, most] of limits.entries()) {
          const own = running.filter(({ item }) => item.delivery.route === `r${i}`);
          expect(own.length).toBeLessThanOrEqual(most);
        }
      };
      start();
      for (const ended of running.splice(0, finished)) finish(queue, policies, ended, false, NOW);
      start();
    }),
  );
});

test("a key that fails holds its own key only: all others are through before its first retry", () => {
  const keys = fc.array(fc.nat(5), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(keys, fc.nat(5), fc.integer({ min: 1, max: 4 }), (order, bad, concurrency) => {
      const policies = policiesOf({ r: { concurrency } });
      const queue = new ActorQueue({ depth: 1_000, policies });
      order.forEach((key, n) => {
        queue.offer(delivery("r", `e${n}`, `k${key}`));
      });
      const delivered: string[] = [];
      for (;;) {
        const next = queue.next(NOW);
        if (next.kind !== "attempt") break;
        const failed = next.item.delivery.orderingKey === `k${bad}`;
        finish(queue, policies, next, failed, NOW);
        if (!failed) delivered.push(next.item.delivery.event.id);
      }
      const good = order.flatMap((key, n) => (key === bad ? [] : [`e${n}`]));
      expect(delivered.sort()).toEqual(good.sort());
      expect(queue.queued).toBe(order.length - good.length);
    }),
  );
});

test("a restart at any moment: an open breaker stays open, and its first attempt is the only probe", () => {
  const breakerState = fc.record<BreakerState>({
    failures: fc.constant(0),
    openUntilMs: fc.integer({ min: NOW - 20_000, max: NOW + 8_000 }),
    cooldownMs: fc.constant(8_000),
    probeUntilMs: fc.option(fc.integer({ min: NOW - 20_000, max: NOW + 15_000 })),
    openings: fc.constant(1),
  });
  fc.assert(
    fc.property(breakerState, fc.boolean(), (before, mended) => {
      const policies = policiesOf({ r: { breaker: BREAKER, concurrency: 4 } });
      const restored: BreakerState = JSON.parse(JSON.stringify(before));
      const queue = new ActorQueue({
        depth: 10,
        policies,
        states: new Map([["r", { ...HEALTHY, breaker: restored }]]),
      });
      for (let n = 0; n < 5; n += 1) queue.offer(delivery("r", `e${n}`, `k${n}`));
      let now = NOW;
      let next = queue.next(now);
      for (; next.kind === "wait"; next = queue.next(now)) {
        expect(next.atMs).toBeGreaterThan(now);
        now = next.atMs as number;
      }
      if (next.kind !== "attempt") throw new Error("nothing expires here");
      expect(now).toBe(Math.max(NOW, restored.openUntilMs as number, restored.probeUntilMs ?? 0));
      expect(next.probe).toBe(true);
      const second = queue.next(now);
      expect(second.kind, "a second beside the probe").toBe("wait");
      finish(queue, policies, next, !mended, now);
      expect(circuitOf(queue.state("r").breaker, now)).toBe(mended ? "closed" : "open");
      expect(queue.next(now).kind).toBe(mended ? "attempt" : "wait");
    }),
  );
});

test("a route whose breaker was switched off does not keep the state that was stored", () => {
  const open = { ...CLOSED, openUntilMs: NOW + 1_000, cooldownMs: 1_000, openings: 1 };
  const policies = policiesOf({ r: { breaker: null } });
  const queue = new ActorQueue({
    depth: 10,
    policies,
    states: new Map([["r", { ...HEALTHY, breaker: open }]]),
  });
  queue.offer(delivery("r", "e0"));
  expect(queue.state("r").breaker).toEqual(CLOSED);
  expect(queue.next(NOW)).toMatchObject({ kind: "attempt", probe: false });
});

test("a full queue: the route with the most waiting loses its oldest, so that it crowds out nobody", () => {
  const policies = policiesOf({ quiet: {}, flood: {}, kept: { overflow: "drop_newest" } });
  const queue = new ActorQueue({ depth: 10, policies });
  queue.offer(delivery("quiet", "q0"));
  for (let n = 0; n < 4; n += 1) queue.offer(delivery("kept", `k${n}`));
  const victims: string[] = [];
  const offer = (route: string, id: string) => {
    const offered = queue.offer(delivery(route, id));
    if (offered.kind === "dropped") victims.push(offered.victim.event.id);
  };
  for (let n = 0; n < 8; n += 1) offer("flood", `f${n}`);
  expect(victims).toEqual(["f0", "f1", "f2"]);
  offer("quiet", "q1");
  offer("kept", "k4");
  expect(victims).toEqual(["f0", "f1", "f2", "f3", "k4"]);
  expect(queue.queued).toBe(10);
});

test("of routes with as much waiting, the one with the oldest loses it", () => {
  const queue = new ActorQueue({ depth: 4, policies: policiesOf({ a: {}, b: {}, c: {} }) });
  for (const [route, id] of [
    ["b", "1"],
    ["a", "2"],
    ["b", "3"],
    ["a", "4"],
  ] as const) {
    queue.offer(delivery(route, id));
  }
  expect(queue.offer(delivery("c", "5"))).toMatchObject({
    kind: "dropped",
    victim: { event: { id: "1" } },
  });
  expect(queue.offer(delivery("c", "6"))).toMatchObject({
    kind: "dropped",
    victim: { event: { id: "2" } },
  });
});

test("a replay is as old as its event and is sent all the same", () => {
  const policies = policiesOf({ r: { maxAgeMs: 1_000 } });
  const queue = new ActorQueue({ depth: 10, policies });
  queue.offer(delivery("r", "old", "a"));
  queue.offer(delivery("r", "again", "b", { replay: 1 }));
  const later = NOW + 5_000;
  expect(queue.next(later)).toMatchObject({ kind: "expired", delivery: { event: { id: "old" } } });
  expect(queue.next(later)).toMatchObject({ kind: "attempt" });
});

test("a delivery that was asked to wait before a restart holds its lane, and no other", () => {
  const policies = new Map([["r", samplePolicy({ order: "key", concurrency: 1 })]]);
  const queue = new ActorQueue({ depth: 10, policies });
  queue.offer(delivery("r", "a1", "a"), NO_ATTEMPTS, { notBeforeMs: NOW + 1_000 });
  queue.offer(delivery("r", "a2", "a"));
  queue.offer(delivery("r", "b1", "b"));
  const sent: [string, number][] = [];
  for (let nowMs = NOW; sent.length < 3; ) {
    const next = queue.next(nowMs);
    if (next.kind === "wait") nowMs = next.atMs as number;
    else if (next.kind === "attempt") {
      sent.push([next.item.delivery.event.id, nowMs - NOW]);
      queue.finish(next.item, { kind: "delivered", status: "delivered", attempts: 1 });
    }
  }
  expect(sent).toEqual([
    ["b1", 0],
    ["a1", 1_000],
    ["a2", 1_000],
  ]);
});
