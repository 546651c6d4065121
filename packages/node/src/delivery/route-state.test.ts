import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type FileSystem, nodeFileSystem } from "@orgloop/files";
import { type DeliverySpec, hasCode, PermanentError, RetryAfterError } from "@orgloop/sdk";
import { fakeClock, SAMPLE_DELIVERY } from "@orgloop/testkit";
import { expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../process/clock.ts";
import {
  eventually,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";
import type { StartOptions } from "../process/start-process.ts";
import { attemptStarts } from "./attempt-starts.ts";

const startKey = (eventId: string, replay: number, route = ""): string =>
  JSON.stringify([eventId, replay, route]);

/** What is kept of the routes; null where nothing was ever written. */
async function keptIn(dataDir: string) {
  try {
    const text = await readFile(join(dataDir, "route-state.jsonl"), "utf8");
    const states = JSON.parse("{}");
    for (const line of text.trimEnd().split("\n").slice(1)) {
      const { route, state } = JSON.parse(line);
      if (state === null) delete states[route];
      else states[route] = state;
    }
    return states;
  } catch (error) {
    if (hasCode(error, "ENOENT")) return null;
    throw error;
  }
}

async function flaky(delivery: Partial<DeliverySpec>, dataDir: string) {
  let ill = true;
  let calls = 0;
  const agent = recordingActor(() => {
    calls += 1;
    if (ill) throw new Error("ill");
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const topology = topologyOf(parts, [route("r", "hook", "agent", delivery)], { bus: "file" });
  const start = (options: Partial<StartOptions> = {}) =>
    startFixture(topology, parts, { dataDir, ...options });
  return {
    start,
    agent,
    calls: () => calls,
    mend() {
      ill = false;
    },
  };
}

test("a restart while a breaker is open holds on, until the cooldown is over", async () => {
  const dataDir = await temporaryDir();
  const breaker = { failure_threshold: 1, cooldown: "1h", max_cooldown: "1h" };
  const it = await flaky({ circuit_breaker: breaker }, dataDir);
  const first = await it.start();
  await first.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(first.status().routes[0]?.circuit).toBe("open"));
  expect(await first.entry("circuit.open")).toMatchObject({
    event_id: expect.any(String),
    route: "r",
    target: "agent",
    attempt: 1,
  });
  // Not only by a drain.
  await eventually(async () => expect(await keptIn(dataDir)).toHaveProperty("r.circuit"));
  await first.drain();
  const { openUntilMs } = (await keptIn(dataDir)).r.circuit;
  const calls = it.calls();
  it.mend();

  const second = await it.start();
  await second.post("/webhook/hook", { n: 2 });
  await eventually(() => expect(second.status().actors[0]?.queued).toBe(2));
  expect(second.status().routes[0]?.circuit).toBe("open");
  expect(it.calls()).toBe(calls);
  expect(await (await second.get("/metrics")).text()).toContain(
    'orgloop_route_circuit{route="r"} 2',
  );
  await second.drain();
  expect((await keptIn(dataDir)).r.circuit.openUntilMs).toBe(openUntilMs);

  const nowMs = Date.now() + 3_700_000;
  const third = await it.start({ now: () => nowMs });
  await it.agent.until(2);
  expect(await third.entry("circuit.close")).toMatchObject({ attempt: 1 });
  const probes = third.entries.filter(({ phase }) => phase === "circuit.half_open");
  expect(probes).toEqual([expect.objectContaining({ attempt: 1 })]);
  await eventually(async () => expect(await keptIn(dataDir)).toEqual({}));
});

test("a healthy route writes nothing; a slow rate holds over a restart", async () => {
  const dataDir = await temporaryDir();
  const it = await flaky({ max_rate: "1/h" }, dataDir);
  it.mend();
  const first = await it.start();
  await first.post("/webhook/hook", { n: 1 });
  await it.agent.until(1);
  await eventually(async () => expect(await keptIn(dataDir)).toHaveProperty("r.rateMs"));
  for (const n of [2, 3]) await first.post("/webhook/hook", { n });
  expect(await first.entry("rate.limited")).toMatchObject({
    route: "r",
    target: "agent",
    metadata: { waiting: 1 },
  });
  await eventually(() => expect(first.status().actors[0]?.queued).toBe(2));
  await first.drain();
  const second = await it.start();
  await second.entry("rate.limited");
  expect(it.calls()).toBe(1);
  expect(first.entries.filter(({ phase }) => phase === "rate.limited")).toHaveLength(1);

  const healthy = await temporaryDir();
  const other = await flaky({ circuit_breaker: false, max_rate: "1000/s" }, healthy);
  other.mend();
  const process = await other.start();
  await process.post("/webhook/hook", { n: 1 });
  await other.agent.until(1);
  await process.drain();
  expect(await keptIn(healthy)).toBeNull();
});

const asking = async (ms: number, dataDir: string) => {
  let ill = true;
  const agent = recordingActor(({ payload }) => {
    if (ill && (payload as { n: number }).n === 1) throw new RetryAfterError("slow down", ms);
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const retry = { ...SAMPLE_DELIVERY.retry, max_retry_after: "1h" };
  const delivery = { circuit_breaker: false, order: "none", retry } as const;
  const topology = topologyOf(parts, [route("r", "hook", "agent", delivery)], { bus: "file" });
  return {
    agent,
    start: (options: Partial<StartOptions> = {}) =>
      startFixture(topology, parts, { dataDir, ...options }),
    mend() {
      ill = false;
    },
  };
};

const idsOf = (agent: { readonly got: readonly { readonly payload: unknown }[] }) =>
  agent.got.map(({ payload }) => (payload as { n: number }).n);

test("what an actor asked to wait for holds over a restart, for that delivery alone", async () => {
  const dataDir = await temporaryDir();
  const it = await asking(3_600_000, dataDir);
  const first = await it.start();
  await first.post("/webhook/hook", { n: 1 });
  const starts = () => readFile(join(dataDir, "attempt-starts.jsonl"), "utf8");
  await eventually(async () => expect(await starts()).toContain('"asked"'));
  await first.drain();
  it.mend();

  const second = await it.start();
  await second.post("/webhook/hook", { n: 2 });
  await it.agent.until(1);
  expect(second.status().actors[0]).toMatchObject({ queued: 1, in_flight: 0 });
  await second.drain();
  expect(idsOf(it.agent)).toEqual([2]);

  const nowMs = Date.now() + 3_600_000;
  const third = await it.start({ now: () => nowMs });
  await it.agent.until(2);
  expect(idsOf(it.agent)).toEqual([2, 1]);
  await eventually(() => expect(third.status().unacked).toBe(0));
  await third.drain();
  await (await it.start()).drain();
  expect(await starts()).not.toContain('"asked"');
});

test("a clock that was ahead when the actor asked lengthens no wait", async () => {
  const dataDir = await temporaryDir();
  const it = await asking(60_000, dataDir);
  const aheadMs = Date.now() + 30 * 86_400_000;
  const first = await it.start({ now: () => aheadMs });
  await first.post("/webhook/hook", { n: 1 });
  const starts = () => readFile(join(dataDir, "attempt-starts.jsonl"), "utf8");
  await eventually(async () => expect(await starts()).toContain('"asked"'));
  await first.drain();
  it.mend();
  const file = await startsIn(join(dataDir, "attempt-starts.jsonl"), systemClock);
  const [key] = /\[\\"evt_[^\]]*\]/.exec(await starts()) ?? [];
  const untilMs = file.askedUntil(JSON.parse(`"${key}"`), 3_600_000);
  expect(untilMs).toBeLessThanOrEqual(systemClock.now() + 60_000);
  expect(untilMs).toBeGreaterThan(systemClock.now());
  await file.close();
});

test("alerts name what is wrong, once, whatever number of events it concerns", async () => {
  const agent = recordingActor(() => {
    throw new PermanentError("410 Gone", { gone: true });
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const process = await startFixture(topologyOf(parts, [route("r", "hook", "agent")]), parts);
  for (let n = 0; n < 20; n += 1) await process.post("/webhook/hook", { n });
  await eventually(() => expect(process.status().dead_letters).toBe(20));
  const alerts = process.entries.filter(({ phase }) => phase === "alert");
  expect(alerts.map(({ result, route, target, error }) => [result, route, target, error])).toEqual([
    ["actor_gone", "r", "agent", "agent is gone for good: 410 Gone"],
    ["dead_letters", "r", "agent", "permanent: 410 Gone"],
  ]);
  expect(await (await process.get("/metrics")).text()).toContain("orgloop_dead_letters 20");
});

const startsIn = (path: string, clock: Clock, isWanted: (id: string) => boolean = () => true) =>
  attemptStarts({ path, fileSystem: nodeFileSystem, clock, isWanted, warn: () => {} });

test("what was worked on when the process died is counted; an end, a drain or another event is not", async () => {
  const file = join(await temporaryDir(), "starts.jsonl");
  const [killer, other] = [startKey("evt_1", 0, "r"), startKey("evt_2", 0, "r")];
  const never = new AbortController().signal;
  const open = (wanted = ["evt_1", "evt_2"]) =>
    startsIn(file, systemClock, (id) => wanted.includes(id));
  for (let deaths = 0; deaths < 3; deaths += 1) {
    const starts = await open();
    expect([starts.deaths(killer), starts.deaths(other)]).toEqual([deaths, 0]);
    await starts.begin(other, never);
    starts.end(other);
    await starts.begin(killer, never);
    await vi.waitFor(async () => expect(await readFile(file, "utf8")).toContain(",0]}"));
  }
  expect((await open()).deaths(killer)).toBe(3);
  expect((await open(["evt_2"])).deaths(killer)).toBe(0);
  expect(await readFile(file, "utf8")).not.toContain("evt_1");
});

test("starts that the release before wrote, without checksums, are taken over", async () => {
  const file = join(await temporaryDir(), "starts.jsonl");
  const key = startKey("evt_1", 0, "r");
  await writeFile(
    file,
    `${JSON.stringify([key, 2])}\n${JSON.stringify([startKey("evt_2", 0), 1])}\n["to`,
  );
  expect((await startsIn(file, systemClock)).deaths(key)).toBe(2);
});

test("starts of many events that came back share writes, and the file stays small", async () => {
  const file = join(await temporaryDir(), "starts.jsonl");
  let writes = 0;
  const fileSystem: FileSystem = {
    ...nodeFileSystem,
    async open(path, mode) {
      const opened = await nodeFileSystem.open(path, mode);
      const counted = Object.create(opened, {
        write: {
          value: (bytes: Uint8Array, position: number) => {
            if (path === file) writes += 1;
            return opened.write(bytes, position);
          },
        },
      });
      return counted;
    },
  };
  const starts = await attemptStarts({
    path: file,
    fileSystem,
    clock: systemClock,
    isWanted: () => true,
    warn: () => {},
  });
  const { signal } = new AbortController();
  for (let round = 0; round < 10; round += 1) {
    const keys = Array.from({ length: 200 }, (_, n) => startKey(`evt_${n}`, 0, "r"));
    await Promise.all(keys.map((key) => starts.begin(key, signal)));
    for (const key of keys) starts.end(key);
  }
  await starts.close();
  expect(writes).toBeLessThan(60);
  expect((await readFile(file, "utf8")).split("\n").length).toBeLessThan(1_500);
});

test("what the process has died at goes one at a time, and a drain ends the waiting", async () => {
  const file = join(await temporaryDir(), "starts.jsonl");
  const keys = [startKey("evt_1", 0, "r"), startKey("evt_2", 0, "r"), startKey("evt_3", 0, "r")];
  const abandon = new AbortController();
  const clock = fakeClock();
  const first = await startsIn(file, clock);
  await Promise.all(keys.map((key) => first.begin(key, abandon.signal)));

  const starts = await startsIn(file, clock);
  const begun: string[] = [];
  const all = keys.map(async (key) => {
    await starts.begin(key, abandon.signal);
    begun.push(key);
  });
  await all[0];
  expect(begun).toEqual([keys[0]]);
  starts.end(keys[0] as string);
  await all[1];
  expect(begun).toEqual([keys[0], keys[1]]);
  const fresh = startKey("evt_4", 0, "r");
  const waits = starts.begin(fresh, abandon.signal).then(() => begun.push(fresh));
  await clock.advance(4_999);
  expect(begun).toHaveLength(2);
  // The second takes too long.
  await clock.advance(1);
  await all[2];
  await waits;
  expect(begun.toSorted()).toEqual([...keys, fresh]);

  const again = await startsIn(file, clock);
  await again.begin(fresh, abandon.signal);
  const last = again.begin(keys[1] as string, abandon.signal);
  abandon.abort();
  await last;
});
