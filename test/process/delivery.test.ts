import type { LogEntry } from "@orgloop/sdk";
import { faultProxy } from "@orgloop/testkit";
import { expect, onTestFinished, test } from "vitest";
import { eventually, receiver, runDelivery } from "./delivery-project.ts";

const OK = { status: 204 };
/** Attempts that come soon again, and often. */
const KEEN = { max_attempts: 50, initial_delay: "5ms", max_delay: "20ms" };
const NUMBERS = (count: number, from = 0) => Array.from({ length: count }, (_, i) => from + i);

/** Opened at the latest when the test has finished. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  const open = () => resolve();
  onTestFinished(open);
  return { opened: promise, open };
}

/**
 * While the breaker is open only probes are sent: each attempt between `circuit.open` and
 * `circuit.close` follows a `half_open`.
 */
function expectOnlyProbes(entries: readonly LogEntry[], route: string): number {
  let open = false;
  let elected = 0;
  let probes = 0;
  for (const { phase, route: of } of entries) {
    if (of !== route) continue;
    if (phase === "circuit.open") open = true;
    if (phase === "circuit.close") open = false;
    if (phase === "circuit.half_open") elected += 1;
    if (phase !== "deliver.attempt" || !open) continue;
    expect(elected, "sent while the breaker was open").toBe(1);
    elected = 0;
    probes += 1;
  }
  return probes;
}

test("a dead actor: the breaker holds, only probes go out, and the queue drains in order", async () => {
  let healthy = false;
  const agent = await receiver(() => (healthy ? OK : { status: 500 }));
  const delivery = {
    order: "route",
    retry: { max_attempts: 4, initial_delay: "20ms" },
    circuit_breaker: { failure_threshold: 2, cooldown: "50ms", max_cooldown: "200ms" },
  };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  await project.postAll("agent", 20);
  await eventually(async () =>
    expect((await project.log("circuit.half_open")).length).toBeGreaterThanOrEqual(4),
  );
  expect(await project.deadLetters()).toEqual([]);
  healthy = true;
  await eventually(() => expect(agent.accepted).toEqual(NUMBERS(20)));
  const entries = await eventually(async () => {
    expect(await project.log("deliver.success")).toHaveLength(20);
    return project.log();
  });
  const probes = expectOnlyProbes(entries, "to-agent");
  expect(probes).toBeGreaterThanOrEqual(4);
  // Two that failed and opened it; the probes, the last of which was the first success; the 19
  // others.
  expect(agent.arrivals).toHaveLength(2 + probes + 19);
  expect(entries.filter(({ phase }) => phase === "circuit.close")).toHaveLength(1);
  expect(await project.deadLetters()).toEqual([]);
});

test("a flapping actor: bursts of 503 lose nothing, and keys keep their order", async () => {
  let requests = 0;
  const agent = await receiver(() => {
    requests += 1;
    return requests % 11 < 5 ? { status: 503 } : OK;
  });
  const delivery = {
    concurrency: 4,
    retry: KEEN,
    circuit_breaker: { failure_threshold: 4, cooldown: "20ms", max_cooldown: "40ms" },
  };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  await project.postAll("agent", 80, (n) => `k${n % 4}`);
  await eventually(() => expect(agent.accepted).toHaveLength(80));
  expect([...agent.accepted].sort((a, b) => a - b)).toEqual(NUMBERS(80));
  expectOrderByKey(agent.arrivals);
  await eventually(async () => expect(await project.log("deliver.success")).toHaveLength(80));
  expect((await project.log("circuit.open")).length).toBeGreaterThan(0);
  expect(await project.deadLetters()).toEqual([]);
});

/** Within a key nothing is sent before what came earlier has been accepted. */
function expectOrderByKey(arrivals: readonly { key: string; n: number; status: number | null }[]) {
  const done = new Map<string, number>();
  const current = new Map<string, number>();
  for (const { key, n, status } of arrivals) {
    const under = current.get(key);
    if (under === undefined) expect(n).toBeGreaterThan(done.get(key) ?? -1);
    else expect(n, `${key}: ${n} overtook ${under}`).toBe(under);
    if (status === null || status >= 300) current.set(key, n);
    else {
      current.delete(key);
      done.set(key, n);
    }
  }
}

test("a failing key holds its own key only, and order holds while every second attempt fails", async () => {
  const agent = await receiver(({ key, n }, before) => {
    if (key === "bad") return { status: 500 };
    return before.filter((arrival) => arrival.n === n).length < n % 3 ? { status: 502 } : OK;
  });
  const delivery = { concurrency: 4, retry: KEEN, circuit_breaker: false };
  const hopeless = { ...KEEN, max_attempts: 100_000 };
  const project = await runDelivery([
    { id: "agent", url: agent.url, delivery: { ...delivery, retry: hopeless } },
  ]);
  await project.postAll("agent", 3, () => "bad", 1_000);
  await project.postAll("agent", 60, (n) => `k${n % 5}`);
  await eventually(() => expect(agent.accepted).toHaveLength(60));
  expectOrderByKey(agent.arrivals.filter(({ key }) => key !== "bad"));
  expect(new Set(agent.arrivals.flatMap(({ key, n }) => (key === "bad" ? [n] : [])))).toEqual(
    new Set([1_000]),
  );
});

test("a slow actor takes nothing from another, nor its places", async () => {
  const { opened, open } = gate();
  const slow = await receiver(() => opened.then(() => OK));
  const fast = await receiver(() => OK);
  const project = await runDelivery([
    { id: "slow", url: slow.url, queue_depth: 20, delivery: { concurrency: 2, order: "none" } },
    { id: "fast", url: fast.url, queue_depth: 100 },
  ]);
  await project.postAll("slow", 50);
  await project.postAll("fast", 100);
  await eventually(() => expect(fast.accepted).toEqual(NUMBERS(100)));
  expect(slow.arrivals).toHaveLength(2);
  open();
  await eventually(() => expect(slow.accepted).toHaveLength(22));
  const letters = await eventually(async () => {
    const found = await project.deadLetters();
    expect(found).toHaveLength(28);
    return found;
  });
  expect(new Set(letters.map(({ actor }) => actor))).toEqual(new Set(["slow"]));
});

test("Retry-After holds an event for as long as the actor asks, and no longer than max_retry_after", async () => {
  const answer = (seconds: string) => (_: unknown, before: readonly unknown[]) =>
    before.length === 0 ? { status: 429, headers: { "retry-after": seconds } } : OK;
  const polite = await receiver(answer("1"));
  const absurd = await receiver(answer("86400"));
  const retry = { initial_delay: "5ms" };
  const project = await runDelivery([
    { id: "polite", url: polite.url, delivery: { retry: { ...retry, max_delay: "50ms" } } },
    { id: "absurd", url: absurd.url, delivery: { retry: { ...retry, max_retry_after: "50ms" } } },
  ]);
  await project.postAll("polite", 1);
  await project.postAll("absurd", 1);
  await eventually(() => expect([polite.accepted, absurd.accepted]).toEqual([[0], [0]]));
  expect(intervalMs(polite.arrivals)).toBeGreaterThanOrEqual(950);
});

function intervalMs([first, second]: readonly { atMs: number }[]): number {
  return (second?.atMs ?? Number.NaN) - (first?.atMs ?? Number.NaN);
}

test("a probe that is told Retry-After is not repeated before", async () => {
  const agent = await receiver((_, before) =>
    before.length === 0 ? { status: 429, headers: { "retry-after": "1" } } : OK,
  );
  const delivery = {
    // None is on its way already when the first is told to wait.
    concurrency: 1,
    circuit_breaker: { failure_threshold: 1, cooldown: "20ms" },
  };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  await project.postAll("agent", 3, (n) => `k${n}`);
  await eventually(() => expect(agent.accepted).toHaveLength(3));
  expect(intervalMs(agent.arrivals)).toBeGreaterThanOrEqual(950);
});

test("a broken network: refused, reset, cut and half-open connections are failures, not losses", async () => {
  const agent = await receiver(() => OK);
  const proxy = await faultProxy({ target: agent });
  onTestFinished(proxy.close);
  const delivery = {
    timeout: "250ms",
    retry: { ...KEEN, max_attempts: 10_000 },
    circuit_breaker: false,
  };
  const url = `http://127.0.0.1:${proxy.port}/`;
  const project = await runDelivery([{ id: "agent", url, delivery }]);
  const faults = [
    { kind: "refuse" },
    { kind: "reset", afterBytes: 0 },
    { kind: "reset", afterBytes: 5 },
    { kind: "cut", afterBytes: 5 },
    { kind: "half_open" },
  ] as const;
  let failed = 0;
  for (const [n, fault] of faults.entries()) {
    await proxy.set(fault);
    await project.postAll("agent", 1, undefined, n);
    failed = await eventually(async () => {
      const { length } = await project.log("deliver.retry");
      expect(length, fault.kind).toBeGreaterThan(failed);
      return length;
    });
    await proxy.set({ kind: "pass" });
    await eventually(async () =>
      expect(await project.log("deliver.success"), fault.kind).toHaveLength(n + 1),
    );
    failed = (await project.log("deliver.retry")).length;
  }
  // A receiver that had answered, unheard, sees the event again under its id: at least once.
  const ids = new Map(agent.arrivals.map(({ n, eventId }) => [n, eventId]));
  expect(new Set(agent.accepted)).toEqual(new Set(NUMBERS(faults.length)));
  for (const { n, eventId } of agent.arrivals) expect(eventId).toBe(ids.get(n));
  const errors = (await project.log("deliver.retry")).map(({ error }) => error);
  expect(errors).toContainEqual(expect.stringContaining("ECONNREFUSED"));
  expect(errors).toContainEqual(expect.stringContaining("no answer within 250ms"));
  expect(await project.deadLetters()).toEqual([]);
});

test("refusals and exhausted events become dead letters, which tell what happened", async () => {
  const agent = await receiver(({ key }, before) => {
    if (key === "unwanted") return { status: 404 };
    if (key === "gone") return { status: 410 };
    if (key === "fine") return OK;
    return { status: 500, body: `failure ${before.filter((one) => one.key === key).length + 1}` };
  });
  const delivery = { retry: { max_attempts: 3, initial_delay: "20ms" }, circuit_breaker: false };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  const keys = ["unwanted", "gone", "broken", "fine"];
  await project.postAll("agent", 4, (n) => keys[n] as string);
  const letters = await eventually(async () => {
    const found = await project.deadLetters();
    expect(found).toHaveLength(3);
    return new Map(found.map((letter) => [letter.event.payload.key, letter]));
  });
  await eventually(() => expect(agent.accepted).toEqual([3]));
  expect(agent.arrivals).toHaveLength(1 + 1 + 3 + 1);
  const common = { route: "to-agent", actor: "agent" };
  expect(letters.get("unwanted")).toMatchObject({ ...common, reason: "permanent", attempts: 1 });
  expect(letters.get("gone")).toMatchObject({ ...common, reason: "permanent", attempts: 1 });
  const broken = letters.get("broken");
  expect(broken).toMatchObject({
    ...common,
    reason: "exhausted",
    attempts: 3,
    first_error: expect.stringContaining("500: failure 1"),
    last_error: expect.stringContaining("500: failure 3"),
    event: { payload: { to: "agent", key: "broken", n: 2 } },
  });
  expect(Date.parse(broken?.last_at ?? "")).toBeGreaterThanOrEqual(
    Date.parse(broken?.first_at ?? ""),
  );
  expect(agent.arrivals.find(({ key }) => key === "broken")?.eventId).toBe(broken?.event_id);
});

test("max_rate spaces the attempts, however many wait", async () => {
  const agent = await receiver(() => OK);
  const delivery = { max_rate: "20/s", order: "none" };
  const project = await runDelivery([{ id: "agent", url: agent.url, delivery }]);
  const startedMs = performance.now();
  await project.postAll("agent", 15);
  await eventually(() => expect(agent.accepted).toHaveLength(15));
  // Nothing else is certain on a busy machine: an arrival may be late, and the next then is nearer.
  // None may come before its time.
  for (const [i, { atMs }] of agent.arrivals.entries()) {
    expect(atMs - startedMs).toBeGreaterThanOrEqual(i * 50 - 5);
  }
});

test.each([
  { overflow: "drop_oldest", kept: [0, ...NUMBERS(5, 15)], dropped: NUMBERS(14, 1) },
  { overflow: "drop_newest", kept: NUMBERS(6), dropped: NUMBERS(14, 6) },
])("a full queue, $overflow: each dropped event has its entry and its dead letter", async (row) => {
  const { opened, open } = gate();
  const agent = await receiver(() => opened.then(() => OK));
  const delivery = { order: "route", overflow: row.overflow };
  const project = await runDelivery([{ id: "agent", url: agent.url, queue_depth: 5, delivery }]);
  await project.postAll("agent", 1);
  await eventually(() => expect(agent.arrivals).toHaveLength(1));
  await project.postAll("agent", 19, undefined, 1);
  const letters = await eventually(async () => {
    const found = await project.deadLetters();
    expect(found).toHaveLength(14);
    return found;
  });
  open();
  await eventually(() => expect(agent.accepted).toEqual(row.kept));
  expect(letters.map(({ event }) => event.payload.n)).toEqual(row.dropped);
  for (const letter of letters) {
    expect(letter).toMatchObject({ reason: "backpressure", attempts: 0, last_error: null });
  }
  const entries = await eventually(async () => {
    expect(await project.log("deliver.success")).toHaveLength(6);
    return project.log("pipeline.backpressure");
  });
  expect(entries.map(({ event_id }) => event_id)).toEqual(letters.map(({ event_id }) => event_id));
  expect(entries[0]).toMatchObject({ route: "to-agent", target: "agent", queue_depth: 5 });
  expect(await project.deadLetters()).toHaveLength(14);
});

test("block: when the backlog is full a webhook is told 503 with Retry-After, and nothing is lost", async () => {
  const { opened, open } = gate();
  const agent = await receiver(() => opened.then(() => OK));
  const delivery = { overflow: "block", order: "none", timeout: "60s" };
  const project = await runDelivery([{ id: "agent", url: agent.url, queue_depth: 50, delivery }]);
  // The bound of one source's backlog.
  const count = 10_000;
  const parcels = NUMBERS(count).map((n) => ({ to: "agent", key: `k${n}`, n }));
  await project.inject(parcels);
  const refused = await project.post({ to: "agent", key: "k", n: count });
  expect(refused.status).toBe(503);
  expect(Number(refused.retryAfter)).toBeGreaterThan(0);
  open();
  await eventually(() => expect(agent.accepted.length).toBe(count), 60_000);
  expect(new Set(agent.accepted).size).toBe(count);
  await project.postAll("agent", 1, undefined, count);
  await eventually(() => expect(agent.accepted.at(-1)).toBe(count));
  expect(await project.deadLetters()).toEqual([]);
  expect(await project.log("pipeline.backpressure")).toEqual([]);
});
