import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { loadProject } from "@orgloop/config";
import { ActorQueue, compilePolicy, concludeAttempt, type Delivery } from "@orgloop/engine";
import { startProcess } from "@orgloop/node";
import { type Actor, type DeliverySpec, defineConnector, type Topology } from "@orgloop/sdk";
import { describeMachine } from "./machine.ts";

const say = (line: string) => process.stdout.write(`${line}\n`);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function verdict(met: boolean): string {
  return met ? "met" : "missed";
}

/** Deliveries of 1,000 keys. */
const deliveries = Array.from({ length: 100_000 }, (_, n): Delivery => {
  const id = `evt_${n}`;
  const provenance = { platform: "bench" };
  const timestamp = "2026-11-01T00:00:00.000Z";
  const type = "resource.changed";
  const event = { id, timestamp, source: "s", type, provenance, payload: { n }, trace_id: "t" };
  const orderingKey = `k${n % 1_000}`;
  return { event: { ...event, type }, route: "r", actor: "a", orderingKey, config: {}, replay: 0 };
});

const deliver: Actor["deliver"] = async () => undefined;
const signal = new AbortController().signal;
const context = { route: "r", config: {}, attempt: 1, replay: 0, signal };

/** µs a delivery, calling the actor and nothing else. */
async function direct(): Promise<number> {
  const startedMs = performance.now();
  for (const { event } of deliveries) await deliver(event, context);
  return ((performance.now() - startedMs) * 1_000) / deliveries.length;
}

/**
 * The same through the policy: offer → next → call → conclude → finish, with `waiting` others in
 * the queue all the while.
 */
async function throughPolicy(spec: DeliverySpec, waiting: number): Promise<number> {
  const policy = compilePolicy(spec);
  const queue = new ActorQueue({ depth: 1_000, policies: new Map([["r", policy]]) });
  let offered = 0;
  for (; offered < waiting; offered += 1) queue.offer(deliveries[offered] as Delivery);
  const startedMs = performance.now();
  let done = 0;
  while (done < deliveries.length) {
    const more = deliveries[offered];
    if (more !== undefined) queue.offer(more);
    offered += 1;
    const next = queue.next(Date.now());
    if (next.kind !== "attempt") throw new Error(`expected an attempt, got ${next.kind}`);
    const { item, probe } = next;
    const receipt = await deliver(item.delivery.event, context);
    const { state, openings } = item;
    const facts = { state, openings, breaker: queue.state("r").breaker, probe, policy };
    const { outcome, breaker } = concludeAttempt(
      { receipt },
      { ...facts, nowMs: Date.now(), random: Math.random },
    );
    queue.keepBreaker("r", breaker);
    queue.finish(item, outcome);
    done += 1;
  }
  return ((performance.now() - startedMs) * 1_000) / deliveries.length;
}

async function benchOverhead(spec: DeliverySpec): Promise<void> {
  const rated = { ...spec, max_rate: "100000000/s", max_age: "30d" };
  const rows: readonly [string, () => Promise<number>][] = [
    ["the actor called directly", direct],
    ["default policy, nothing waits", () => throughPolicy(spec, 0)],
    ["default policy, 999 wait on 999 keys", () => throughPolicy(spec, 999)],
    ["one lane (order: route), 999 wait", () => throughPolicy({ ...spec, order: "route" }, 999)],
    ["with rate and age, 999 wait", () => throughPolicy(rated, 999)],
  ];
  const times = rows.map((): number[] => []);
  for (let round = 0; round < 8; round += 1) {
    for (const [i, [, run]] of rows.entries()) {
      const time = await run();
      if (round > 0) times[i]?.push(time);
    }
  }
  const medians = times.map(median);
  say("(a) the policy's overhead per delivery, medians of 7 in one process:");
  for (const [i, [name]] of rows.entries())
    say(`  ${medians[i]?.toFixed(2).padStart(6)} µs  ${name}`);
  const overhead = Math.max(...medians) - (medians[0] as number);
  say(
    `  overhead at most ${overhead.toFixed(2)} µs (target: under 20 µs: ${verdict(overhead < 20)})`,
  );
}

const ACTORS = 500;
const EVENTS_EACH = 30;
/** What a healthy actor takes: a near service. */
const CALL_MS = 2;

async function loadFixture(dir: string): Promise<Topology> {
  const ids = Array.from({ length: ACTORS }, (_, n) => `actor-${n}`);
  const manifest = {
    apiVersion: "orgloop/v1alpha1",
    kind: "Project",
    metadata: { name: "five-hundred" },
    bus: "memory",
    sources: [{ id: "hook", connector: "bench", config: {} }],
    actors: ids.map((id, n) => {
      // Of those that may be ill the queues overflow, as after hours.
      return { id, connector: "bench", config: {}, queue_depth: n < 2 ? 10 : 1_000 };
    }),
    routes: ids.map((id) => ({
      name: `to-${id}`,
      when: { source: "hook", events: ["resource.changed"], filter: { "payload.to": id } },
      then: { actor: id, delivery: { key: "payload.key" } },
    })),
  };
  await writeFile(path.join(dir, "orgloop.yaml"), JSON.stringify(manifest));
  const { topology, errors } = await loadProject({ path: dir, env: {} });
  if (topology === null) throw new Error(JSON.stringify(errors));
  return topology;
}

const config = {
  "~standard": { version: 1, vendor: "bench", validate: (value: unknown) => ({ value }) },
} as const;

interface Run {
  /** Deliveries a second. */
  readonly rate: number;
  /** Of this process, a delivery, in µs: other processes disturb it less than the rate. */
  readonly cpu: number;
}

/**
 * Deliveries to actors 2 to 499; where `ill`, actor 0 refuses every connection and actor 1 hangs
 * until its timeout.
 */
async function deliverToTheOthers(topology: Topology, dir: string, ill: boolean): Promise<Run> {
  const wanted = (ACTORS - 2) * EVENTS_EACH;
  const finished = Promise.withResolvers<void>();
  let delivered = 0;
  const healthy: Actor = {
    async deliver() {
      await wait(CALL_MS);
      delivered += 1;
      if (delivered === wanted) finished.resolve();
      return undefined;
    },
  };
  const well: Actor = { deliver: () => wait(CALL_MS, undefined) };
  const dead: Actor = { deliver: () => Promise.reject(new Error("connect ECONNREFUSED")) };
  const slow: Actor = {
    deliver: (_, { signal: over }) => wait(60_000, undefined, { signal: over }),
  };
  const special: Readonly<Record<string, Actor>> = {
    "actor-0": ill ? dead : well,
    "actor-1": ill ? slow : well,
  };
  const plugin = defineConnector({
    id: "bench",
    source: { config, create: async () => ({ receive: async () => [] }) },
    actor: { config, create: async (_, { id }) => special[id] ?? healthy },
  });
  const dataDir = await mkdtemp(path.join(dir, "data-"));
  const running = await startProcess({
    topology,
    projectDir: dir,
    dataDir,
    env: {},
    token: "bench",
    lookup: async () => plugin,
    backlogBounds: { perSource: 1e6, total: 1e6 },
    drainMs: 0,
  });
  const before = process.cpuUsage();
  const startedMs = performance.now();
  for (let n = 0; n < EVENTS_EACH; n += 1) {
    await running.inject(
      Array.from({ length: ACTORS }, (_, actor) => ({
        source: "hook",
        provenance: { platform: "bench" },
        payload: { to: `actor-${actor}`, key: `k${n % 8}`, n },
      })),
    );
  }
  await finished.promise;
  const rate = wanted / ((performance.now() - startedMs) / 1_000);
  const { user, system } = process.cpuUsage(before);
  await running.drain();
  return { rate, cpu: (user + system) / wanted };
}

async function benchIsolation(topology: Topology, dir: string): Promise<void> {
  const healthy: Run[] = [];
  const ill: Run[] = [];
  for (let round = 0; round < 8; round += 1) {
    // The order changes, so that neither is always the one after the other.
    for (const isIll of round % 2 === 0 ? [false, true] : [true, false]) {
      const run = await deliverToTheOthers(topology, dir, isIll);
      if (round > 0) (isIll ? ill : healthy).push(run);
    }
  }
  // Round by round: what else the machine does meets both runs of a round.
  const shares = ill.map(({ rate }, round) => rate / (healthy[round] as Run).rate);
  shares.sort((a, b) => a - b);
  const share = median(shares);
  say(`(b) ${ACTORS} actors in one process, memory bus, default policies, medians of 7:`);
  const figures = (runs: readonly Run[]) =>
    `${Math.round(median(runs.map(({ rate }) => rate)))}/s (${Math.round(median(runs.map(({ cpu }) => cpu)))} µs of processor each)`;
  say(`  ${figures(healthy)} to the others while all are healthy`);
  say(`  ${figures(ill)} to the others while one is dead and one is slow`);
  const percent = (part: number | undefined) => `${((part ?? Number.NaN) * 100).toFixed(1)} %`;
  say(`  ${percent(share)}, rounds from ${percent(shares[0])} to ${percent(shares.at(-1))}`);
  say(`  target: at least 95 %: ${verdict(share >= 0.95)}`);
}

const dir = await mkdtemp(path.join(tmpdir(), "orgloop-bench-"));
try {
  say(await describeMachine(dir));
  const topology = await loadFixture(dir);
  await benchOverhead((topology.routes[0] as Topology["routes"][number]).delivery);
  await benchIsolation(topology, dir);
} finally {
  await rm(dir, { recursive: true, force: true });
}
