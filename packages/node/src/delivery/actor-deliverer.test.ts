import { compilePolicy, type Delivery } from "@orgloop/engine";
import {
  type Actor,
  type DeadLetter,
  type DeliverySpec,
  type LogEntry,
  PermanentError,
} from "@orgloop/sdk";
import { memoryDeadLetters } from "@orgloop/stores";
import { fakeClock, storedLetters } from "@orgloop/testkit";
import { expect, test } from "vitest";
import { inUse } from "../apply/in-use.ts";
import { activityOf, recordingActor, route } from "../process/process-fixture.ts";
import { alerts } from "../telemetry/alerts.ts";
import { ActorDeliverer } from "./actor-deliverer.ts";
import { attemptSlots } from "./attempt-slots.ts";
import { deadLetterWriter } from "./write-dead-letter.ts";

function delivering(
  actor: Actor,
  delivery: Partial<DeliverySpec> = {},
  depth = 100,
  slots = attemptSlots(2_000),
) {
  const clock = fakeClock();
  const spec = route("r", "hook", "agent", delivery);
  const abandon = new AbortController();
  const entries: Omit<LogEntry, "timestamp">[] = [];
  const log = (entry: Omit<LogEntry, "timestamp">) => void entries.push(entry);
  const activity = activityOf(spec);
  const store = memoryDeadLetters();
  const refusedPuts: Error[] = [];
  const deadLetters = {
    ...store,
    put: async (letter: DeadLetter) => {
      const error = refusedPuts.shift();
      if (error) throw error;
      await store.put(letter);
    },
  };
  const alert = alerts({ log, now: clock.now });
  const mask = (text: string) => text;
  const writeDeadLetter = deadLetterWriter({
    deadLetters,
    clock,
    log,
    activity,
    alert,
    mask,
    abandon: abandon.signal,
  });
  const policies = new Map([["r", compilePolicy(spec.delivery)]]);
  const deliverer = new ActorDeliverer({
    id: "agent",
    alert,
    slots,
    kept: { save() {} },
    starts: {
      deaths: () => 0,
      begin: async () => {},
      end() {},
      ask() {},
      askedUntil: () => null,
      async close() {},
    },
    depth,
    policies,
    actor: inUse(actor, new Set()),
    clock,
    writeDeadLetter,
    log,
    activity,
    mask,
    abandon: abandon.signal,
  });
  const settled: string[] = [];
  const push = (id: string, key = "k") =>
    deliverer.push(deliveryOf(id, key, clock.now()), () => settled.push(id));
  return { clock, deliverer, abandon, entries, settled, push, deadLetters, refusedPuts };
}

function deliveryOf(id: string, orderingKey: string, nowMs: number): Delivery {
  return {
    event: {
      id,
      timestamp: new Date(nowMs).toISOString(),
      source: "hook",
      type: "resource.changed",
      provenance: { platform: "test" },
      payload: {},
      trace_id: `trc_${id}`,
    },
    route: "r",
    actor: "agent",
    orderingKey,
    config: {},
    replay: 0,
  };
}

test("a retry holds its own key only, and order within a key stands", async () => {
  let failures = 2;
  const agent = recordingActor(({ id }) => {
    if (id === "a1" && failures-- > 0) throw new Error("not now");
  });
  const { clock, push, settled, entries } = delivering(agent, {
    retry: {
      max_attempts: 3,
      backoff: "fixed",
      initial_delay: "1s",
      max_delay: "1s",
      jitter: "none",
    },
  });
  for (const [id, key] of [
    ["a1", "a"],
    ["a2", "a"],
    ["b1", "b"],
    ["b2", "b"],
  ] as const) {
    await push(id, key);
  }
  await clock.advance(0);
  expect(settled).toEqual(["b1", "b2"]);
  await clock.advance(999);
  expect(settled).toEqual(["b1", "b2"]);
  await clock.advance(1_001);
  expect(settled).toEqual(["b1", "b2", "a1", "a2"]);
  expect(
    entries
      .filter(({ event_id }) => event_id === "a1")
      .map(({ phase, attempt }) => [phase, attempt]),
  ).toEqual([
    ["deliver.attempt", 1],
    ["deliver.retry", 1],
    ["deliver.attempt", 2],
    ["deliver.retry", 2],
    ["deliver.attempt", 3],
    ["deliver.success", 3],
  ]);
});

test("actors that hang hold no more than the process's slots; one that is well goes on, and what waits has not begun to time out", async () => {
  const slots = attemptSlots(20);
  let begun = 0;
  const hung: Actor = {
    deliver() {
      begun += 1;
      return new Promise(() => {});
    },
  };
  const many = Array.from({ length: 4 }, () =>
    delivering(hung, { order: "none", concurrency: 16, timeout: "5s" }, 100, slots),
  );
  for (const { push } of many) for (let n = 0; n < 16; n++) await push(`e${n}`);
  expect(slots.inUse).toBeLessThanOrEqual(20);
  expect(begun).toBe(slots.inUse);
  const well = delivering(recordingActor(), { order: "none" }, 100, slots);
  for (let n = 0; n < 50; n++) await well.push(`w${n}`);
  await well.clock.advance(0);
  expect(well.settled).toHaveLength(50);
  const before = begun;
  // Those in flight end at their timeout, and ten seconds later are left to themselves; those
  // behind begin then.
  for (const { clock } of many) await clock.advance(15_000);
  expect(begun).toBeGreaterThan(before);
  expect(slots.inUse).toBeLessThanOrEqual(20);
});

test("one attempt ends at its timeout, whether the actor minds the signal or not", async () => {
  const signals: AbortSignal[] = [];
  const deaf: Actor = {
    deliver(_, { signal }) {
      signals.push(signal);
      return new Promise(() => {});
    },
  };
  const { clock, push, deadLetters, settled } = delivering(deaf, {
    timeout: "5s",
    retry: {
      max_attempts: 1,
      backoff: "fixed",
      initial_delay: "1s",
      max_delay: "1s",
      jitter: "none",
    },
  });
  await push("a");
  await clock.advance(4_999);
  expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
  await clock.advance(1);
  expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  await clock.advance(10_000);
  expect(settled).toEqual(["a"]);
  const [letter] = await storedLetters(deadLetters);
  expect(letter).toMatchObject({
    reason: "exhausted",
    attempts: 1,
    last_error: "agent: no answer within 5s",
  });
});

test("a route is settled only when its dead letter is durable; no further attempt is made meanwhile", async () => {
  let attempts = 0;
  const refusing: Actor = {
    async deliver() {
      attempts += 1;
      throw new PermanentError("never");
    },
  };
  const { clock, push, settled, refusedPuts, deadLetters, entries } = delivering(refusing);
  refusedPuts.push(new Error("ENOSPC"), new Error("ENOSPC"));
  await push("a");
  await push("b");
  await clock.advance(9_999);
  expect([settled, attempts]).toEqual([[], 1]);
  await clock.advance(1);
  expect(settled).toEqual(["a", "b"]);
  expect(
    (await storedLetters(deadLetters)).map(({ event_id, reason }) => [event_id, reason]),
  ).toEqual([
    ["a", "permanent"],
    ["b", "permanent"],
  ]);
  expect(entries.map(({ phase }) => phase).slice(0, 5)).toEqual([
    "deliver.attempt",
    "deliver.failure",
    "system.error",
    "system.error",
    "deliver.dead_letter",
  ]);
});

test("where the queue is full and blocks, the next waits its turn; closing turns it away", async () => {
  const gate = Promise.withResolvers<void>();
  const agent = recordingActor(() => gate.promise);
  const { deliverer, push, settled, clock } = delivering(agent, { overflow: "block" }, 2);
  // One in flight, two waiting.
  for (const id of ["a", "b", "c"]) await push(id);
  const order: string[] = [];
  const waiting = ["d", "e"].map((id) => push(id).then(() => order.push(id)));
  await clock.advance(0);
  expect([deliverer.queued, deliverer.inFlight, order]).toEqual([2, 1, []]);
  gate.resolve();
  await Promise.all(waiting);
  await clock.advance(0);
  expect(order).toEqual(["d", "e"]);
  expect(settled).toEqual(["a", "b", "c", "d", "e"]);
  await deliverer.close();
  await expect(push("f")).rejects.toMatchObject({ code: "DRAINING" });
});

test("where the queue is full and drops, the oldest is a dead letter before it is settled", async () => {
  const agent = recordingActor(() => new Promise(() => {}));
  const { clock, push, settled, deadLetters, entries } = delivering(
    agent,
    { overflow: "drop_oldest" },
    2,
  );
  for (const id of ["a", "b", "c", "d"]) await push(id);
  await clock.advance(0);
  expect(settled).toEqual(["b"]);
  expect(await storedLetters(deadLetters)).toMatchObject([
    { event_id: "b", reason: "backpressure" },
  ]);
  expect(entries).toContainEqual(
    expect.objectContaining({
      phase: "pipeline.backpressure",
      event_id: "b",
      attempt: 0,
      queue_depth: 2,
    }),
  );
});

test("closing lets what is in flight end, and starts nothing more", async () => {
  const gate = Promise.withResolvers<void>();
  const agent = recordingActor(() => gate.promise);
  const { deliverer, push, settled } = delivering(agent);
  await push("a");
  await push("b");
  let closed = false;
  const closing = deliverer.close().then(() => {
    closed = true;
  });
  await Promise.resolve();
  expect(closed).toBe(false);
  gate.resolve();
  await closing;
  expect(settled).toEqual(["a"]);
});

test("what is abandoned is neither failed nor settled", async () => {
  const agent = recordingActor(
    (_, { signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  const { deliverer, push, settled, abandon, entries } = delivering(agent);
  await push("a");
  const closing = deliverer.close();
  abandon.abort();
  await closing;
  expect(settled).toEqual([]);
  expect(entries.map(({ phase }) => phase)).toEqual(["deliver.attempt"]);
});

test("a breaker that does not close within minutes is an alert, once an hour; so is a queue that overflows", async () => {
  const dead = recordingActor(() => {
    throw new Error("HTTP 500");
  });
  const breaker = { failure_threshold: 1, cooldown: "1m", max_cooldown: "1m" };
  const { clock, push, entries } = delivering(
    dead,
    { circuit_breaker: breaker, overflow: "drop_oldest", order: "none", concurrency: 1 },
    2,
  );
  const alerts = () => entries.filter(({ phase }) => phase === "alert");
  for (const id of ["a", "b"]) await push(id);
  await clock.advance(290_000);
  expect(alerts()).toEqual([]);
  await clock.advance(3_000_000);
  expect(alerts()).toMatchObject([
    { result: "breaker_open", route: "r", target: "agent", metadata: { count: 1 } },
  ]);
  await clock.advance(3_600_000);
  expect(alerts()).toHaveLength(2);
  expect(alerts()[1]?.metadata?.count).toBeGreaterThan(50);
  for (const id of ["c", "d", "e", "f"]) await push(id);
  expect(alerts().slice(2)).toMatchObject([{ result: "backpressure", route: "r" }]);
});
