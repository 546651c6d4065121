import fc from "fast-check";
import { expect, test } from "vitest";
import { ActorQueue } from "./actor-queue.ts";
import { CLOSED } from "./breaker.ts";
import { type DeliveryPolicy, NO_ATTEMPTS } from "./delivery.ts";
import { RATE_SLACK_MS } from "./rate-limit.ts";
import type { QueuedDelivery } from "./route-queue.ts";
import { sampleDelivery } from "./sample-delivery.ts";
import { samplePolicy } from "./sample-policy.ts";

const NOW = 1_700_000_000_000;

const PLAIN = samplePolicy({ concurrency: 4, retry: { maxAttempts: 9, initialDelayMs: 5 } });

function queueOf(policies: Readonly<Record<string, Partial<DeliveryPolicy>>>, depth = 1_000) {
  const full = (given: typeof policies) =>
    new Map(Object.entries(given).map(([name, change]) => [name, { ...PLAIN, ...change }]));
  const queue = new ActorQueue({ depth, policies: full(policies) });
  return {
    queue,
    change: (next: typeof policies, to = depth) =>
      queue.change({ depth: to, policies: full(next) }, NOW),
  };
}

function attemptOf(queue: ActorQueue, nowMs = NOW): QueuedDelivery {
  const next = queue.next(nowMs);
  if (next.kind !== "attempt") throw new Error(`nothing to attempt: ${next.kind}`);
  return next.item;
}

const delivered = { kind: "delivered", status: "delivered", attempts: 1 } as const;
const idsOf = (item: QueuedDelivery) => item.delivery.event.id;

test("a route that goes still sends what is queued, in order, under the policy that it came with", () => {
  const { queue, change } = queueOf({ r: { timeoutMs: 7 } });
  for (const id of ["a", "b"]) queue.offer(sampleDelivery("r", "k", id, NOW));
  change({});
  const first = attemptOf(queue);
  expect([idsOf(first), first.policy.timeoutMs, queue.queued]).toEqual(["a", 7, 1]);
  queue.finish(first, delivered);
  const second = attemptOf(queue);
  expect(idsOf(second)).toBe("b");
  queue.finish(second, delivered);
  expect([queue.queued, queue.inFlight]).toEqual([0, 0]);
  expect(() => queue.state("r").breaker).toThrow('no route "r"');
});

test("what was matched before its route went is still taken", () => {
  const { queue, change } = queueOf({ r: {} });
  change({});
  const late = sampleDelivery("r", "k", "late", NOW);
  expect(() => queue.offer(late)).toThrow('no route "r"');
  expect(queue.offer(late, NO_ATTEMPTS, { matched: PLAIN })).toEqual({ kind: "queued" });
  queue.finish(attemptOf(queue), delivered);
  expect(queue.next(NOW)).toEqual({ kind: "wait", atMs: null });
});

test("a route keeps its breaker under a new policy; one that came back, or has none any more, begins closed", () => {
  const breaker = { failureThreshold: 1, cooldownMs: 1_000, maxCooldownMs: 1_000 };
  const { queue, change } = queueOf({ r: { breaker } });
  const open = { ...CLOSED, openUntilMs: NOW + 1_000, cooldownMs: 1_000 };
  queue.keepBreaker("r", open);
  change({ r: { breaker: { ...breaker, failureThreshold: 5 } } });
  expect(queue.state("r").breaker).toEqual(open);
  change({});
  change({ r: { breaker } });
  expect(queue.state("r").breaker).toEqual(CLOSED);
  queue.keepBreaker("r", open);
  change({ r: {} });
  expect(queue.state("r").breaker).toEqual(CLOSED);
});

test("a faster rate counts at once, for what was queued before too", () => {
  const slow = { rate: { count: 1, perMs: 3_600_000, burst: 1 } };
  const { queue, change } = queueOf({ r: slow });
  for (const id of ["a", "b", "c"]) queue.offer(sampleDelivery("r", "k", id, NOW));
  queue.finish(attemptOf(queue), delivered);
  expect(queue.next(NOW)).toEqual({ kind: "wait", atMs: NOW + 3_600_000 - RATE_SLACK_MS });
  change({ r: { rate: { count: 10, perMs: 1_000, burst: 1 } } });
  expect(queue.next(NOW)).toMatchObject({ kind: "wait", atMs: NOW + 100 });
  expect(idsOf(attemptOf(queue, NOW + 100))).toBe("b");
});

test("a smaller bound lets out what is in, and takes nothing more until then", () => {
  const { queue, change } = queueOf({ r: { overflow: "block" } }, 3);
  for (const id of ["a", "b", "c"]) queue.offer(sampleDelivery("r", "k", id, NOW));
  change({ r: { overflow: "block" } }, 1);
  const next = sampleDelivery("r", "k", "d", NOW);
  for (const id of ["a", "b", "c"]) {
    expect(queue.offer(next)).toEqual({ kind: "full" });
    const item = attemptOf(queue);
    expect(idsOf(item)).toBe(id);
    queue.finish(item, delivered);
  }
  expect(queue.offer(next)).toEqual({ kind: "queued" });
});

const ORDERS = [
  { order: "key", orderedBy: "key a" },
  { order: "key", orderedBy: "key b" },
  { order: "route" },
  { order: "none" },
] as const satisfies Partial<DeliveryPolicy>[];

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ does: fc.constant("offer"), route: fc.nat(1), key: fc.nat(2) }),
  },
  { weight: 5, arbitrary: fc.record({ does: fc.constant("next") }) },
  {
    weight: 5,
    arbitrary: fc.record({ does: fc.constant("finish"), which: fc.nat(7), fails: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("change"),
      routes: fc.nat(3),
      order: fc.nat(3),
      depth: fc.nat(30),
    }),
  },
);

test("whatever changes while deliveries come and go: none is lost or sent twice at a time, and none overtakes", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      let policy: DeliveryPolicy = PLAIN;
      const queue = new ActorQueue({
        depth: 20,
        policies: new Map([
          ["r0", policy],
          ["r1", policy],
        ]),
      });
      let nowMs = NOW;
      const running: QueuedDelivery[] = [];
      /** In the order in which they were taken: what is neither done nor displaced. */
      const live: { id: string; route: string; key: string; under: DeliveryPolicy }[] = [];
      const leave = (id: string) =>
        live.splice(
          live.findIndex((one) => one.id === id),
          1,
        );

      function attempt(): boolean {
        const next = queue.next(nowMs);
        if (next.kind === "expired") throw new Error("nothing expires here");
        if (next.kind === "wait") {
          nowMs = next.atMs ?? nowMs;
          return false;
        }
        const id = idsOf(next.item);
        const at = live.findIndex((one) => one.id === id);
        const mine = live[at] as (typeof live)[0];
        expect(running.map(idsOf)).not.toContain(id);
        const before = live.slice(0, at).filter(({ route, under, key }) => {
          const alike =
            (under.orderedBy ?? under.order) === (mine.under.orderedBy ?? mine.under.order);
          if (route !== mine.route) return false;
          return !alike || under.order === "route" || (under.order === "key" && key === mine.key);
        });
        expect(before).toEqual([]);
        running.push(next.item);
        return true;
      }

      function finish(item: QueuedDelivery, fails: boolean): void {
        running.splice(running.indexOf(item), 1);
        if (!fails) leave(idsOf(item));
        const again = { kind: "retry", atMs: nowMs + 5, state: NO_ATTEMPTS } as const;
        queue.finish(item, fails ? again : delivered);
      }

      let ids = 0;
      for (const one of steps) {
        if (one.does === "offer" && "key" in one) {
          const [route, key, id] = [`r${one.route}`, String(one.key), `evt_${ids++}`];
          const offered = queue.offer(sampleDelivery(route, key, id, NOW), NO_ATTEMPTS, {
            matched: policy,
          });
          live.push({ id, route, key, under: policy });
          if (offered.kind === "dropped") leave(offered.victim.event.id);
        } else if (one.does === "change" && "order" in one) {
          policy = { ...PLAIN, ...ORDERS[one.order] };
          const names = ["r0", "r1"].filter((_, n) => (one.routes >> n) & 1);
          queue.change(
            { depth: one.depth, policies: new Map(names.map((name) => [name, policy])) },
            nowMs,
          );
        } else if (one.does === "finish" && "which" in one) {
          const item = running[one.which % Math.max(1, running.length)];
          if (item !== undefined) finish(item, one.fails);
        } else attempt();
        expect(queue.queued + queue.inFlight).toBe(live.length);
      }
      for (let turn = 0; live.length > 0; turn += 1) {
        expect(turn).toBeLessThan(2_000);
        if (attempt()) continue;
        for (const item of [...running]) finish(item, false);
      }
      expect([queue.queued, queue.inFlight]).toEqual([0, 0]);
    }),
    { numRuns: 600 },
  );
});
