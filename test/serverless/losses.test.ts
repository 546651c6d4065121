import { createHmac, randomUUID } from "node:crypto";
import webhook from "@orgloop/connector-webhook";
import {
  defineConnector,
  type OrgLoopEvent,
  type PluginDefinition,
  type RouteSpec,
  type Topology,
} from "@orgloop/sdk";
import {
  anyConfig,
  SAMPLE_DEFAULTS,
  SAMPLE_DELIVERY,
  sampleRoute,
  storedLetters,
} from "@orgloop/testkit";
import { afterEach, expect, inject, test, vi } from "vitest";
import { type RunningFunctions, runningFunctions } from "./running-functions.ts";

const SECRET = "s3cret";

let functions: RunningFunctions | undefined;
afterEach(() => functions?.end());

/** Routes of the webhook's events to the actors named, each to its own. */
async function start(actors: readonly string[] = ["agent"], queue_depth = 1000, keyed = false) {
  const got: string[] = [];
  const route = (actor: string): RouteSpec => ({
    ...sampleRoute(`to-${actor}`, { ...SAMPLE_DELIVERY, timeout: "10s", concurrency: 4 }),
    when: { source: ["hook"], events: ["resource.changed"] },
    then: { actor, config: {} },
  });
  const topology: Topology = {
    project: "acme",
    workspace: "test",
    bus: { url: "sqs" },
    defaults: SAMPLE_DEFAULTS,
    sources: [{ id: "hook", connector: "webhook", config: { secret: SECRET }, key: "payload.key" }],
    actors: actors.map((id) => ({ id, connector: "agent", config: { id }, queue_depth })),
    routes: actors.map(route),
    transforms: [],
    loggers: [],
  };
  const agent = defineConnector({
    id: "agent",
    actor: {
      config: anyConfig(),
      create: async (config) => ({
        async deliver({ payload }: OrgLoopEvent) {
          got.push(`${(config as { id: string }).id} ${payload.n}`);
          return undefined;
        },
      }),
    },
  });
  const plugins = { webhook, agent } as Record<string, PluginDefinition>;
  functions = await runningFunctions(topology, plugins, inject("aws"), keyed ? ["hook"] : []);
  const it = functions;
  async function post(n: number, key = "k"): Promise<string> {
    const body = Buffer.from(JSON.stringify({ n, key }));
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    const answer = await it.receive({
      rawPath: "/webhook/hook",
      rawQueryString: "",
      headers: {
        "content-type": "application/json",
        "x-hub-signature-256": `sha256=${signature}`,
        "idempotency-key": randomUUID(),
      },
      body: body.toString("base64"),
      isBase64Encoded: true,
      requestContext: { http: { method: "POST" } },
    });
    expect(answer.statusCode).toBe(200);
    return JSON.parse(answer.body ?? "").event_id;
  }
  /** What the log has of a phase. */
  const logged = (phase: string) =>
    it.lines.map((line) => JSON.parse(line)).filter((entry) => entry.phase === phase);
  return { ...it, got, post, logged, redrive: it.redrive.bind(it), history: it.history.bind(it) };
}

/** What a dead function had taken is back. */
const comesBack = (redrive: () => Promise<number>) =>
  vi.waitFor(async () => expect(await redrive()).toBeGreaterThan(0), {
    timeout: 20_000,
    interval: 200,
  });

test("an event moved back from the bus's dead-letter queue by hand is routed, whether or not it had been", async () => {
  const it = await start();
  await it.post(1);
  await it.die(it.names.bus);
  await comesBack(() => it.redrive(it.names.bus));
  await it.run(() => it.got.length === 1);
  await it.post(2);
  await it.dieAfter(it.names.bus);
  await comesBack(() => it.redrive(it.names.bus));
  await it.run(() => it.got.length === 2);
  expect(it.got).toEqual(["agent 1", "agent 2"]);
  expect(it.logged("source.repeat")).toEqual([]);
});

test("a delivery moved back by hand is delivered", async () => {
  const it = await start();
  await it.post(1);
  await it.invoke(it.names.bus);
  const queue = it.names.actorQueue("agent");
  await it.die(queue);
  await comesBack(() => it.redrive(queue));
  await it.run(() => it.got.length === 1);
  expect(it.got).toEqual(["agent 1"]);
});

test("what was put on the bus by the release before and is moved by hand after it was routed is skipped, and said", async () => {
  const it = await start();
  const event = {
    id: "evt_1",
    timestamp: new Date().toISOString(),
    source: "hook",
    type: "resource.changed",
    provenance: { platform: "test" },
    payload: { n: 1, key: "k" },
    trace_id: "trc_1",
  };
  await it.send(it.names.bus, JSON.stringify({ v: 1, event }), "hook");
  await it.dieAfter(it.names.bus);
  await comesBack(() => it.redrive(it.names.bus));
  await it.run(() => it.got.length === 1 && it.logged("source.repeat").length === 1);
  expect(it.logged("source.repeat")).toMatchObject([
    { event_id: "evt_1", result: expect.stringContaining("orgloop replay --event evt_1") },
  ]);
});

test("functions that find the queue over its bound at once give up what is too much, and no more", async () => {
  const it = await start(["agent"], 20);
  for (let n = 0; n < 40; n += 1) await it.post(n, `k${n}`);
  while ((await it.invoke(it.names.bus)) > 0);
  const queue = it.names.actorQueue("agent");
  await Promise.all([queue, queue, queue, queue].map((name) => it.invoke(name)));
  await it.run(async () => it.got.length + (await storedLetters(it.letters)).length === 40);
  const letters = await storedLetters(it.letters);
  expect(new Set(letters.map(({ reason }) => reason))).toEqual(new Set(["backpressure"]));
  // Each counts 40, less the 10 that it has in hand: 10 are too many.
  expect(letters).toHaveLength(10);
});

test("a queue that is missing for a while: the others hear each event once and go on; all comes in order when it is back", async () => {
  const it = await start(["well", "gone"]);
  const queue = it.names.actorQueue("gone");
  await it.deleteQueue(queue);
  const routed = async (from: number, to: number) => {
    for (let n = from; n < to; n += 1) await it.post(n);
    while ((await it.invoke(it.names.bus)) > 0);
  };
  for (let n = 0; n < 12; n += 4) await routed(n, n + 4);
  while ((await it.invoke(it.names.actorQueue("well"))) > 0);
  const numbers = Array.from({ length: 12 }, (_, n) => n);
  expect(it.got).toEqual(numbers.map((n) => `well ${n}`));
  const refused = (await storedLetters(it.letters)).filter(({ reason }) => reason === "refused");
  expect(refused.map(({ actor }) => actor)).toEqual(numbers.map(() => "gone"));
  await it.sweep();
  expect(await storedLetters(it.letters)).toHaveLength(12);
  await it.queueUrl(queue);
  await routed(12, 14);
  await it.sweep();
  await it.run(() => it.got.length === 28);
  const arrived = it.got.filter((one) => one.startsWith("gone"));
  expect(arrived).toEqual([...numbers, 12, 13].map((n) => `gone ${n}`));
  expect(await storedLetters(it.letters)).toEqual([]);
  await it.post(14);
  await it.run(() => it.got.includes("gone 14"));
});

test("a bucket that refuses holds up nobody and duplicates nothing; when it is back, every id is in the record", async () => {
  const it = await start(["agent"]);
  await it.deleteBucket();
  const ids: string[] = [];
  for (let n = 0; n < 8; n += 1) {
    ids.push(await it.post(n));
    await it.run(() => it.got.length === n + 1);
    await expect(it.record()).rejects.toThrow(/bucket/i);
  }
  expect(it.got).toEqual(ids.map((_, n) => `agent ${n}`));
  await it.createBucket();
  await vi.waitFor(
    async () => {
      const lines = (await it.history()).trim().split("\n");
      expect(lines.map((line) => JSON.parse(line).event.id).toSorted()).toEqual(ids.toSorted());
    },
    { timeout: 30_000, interval: 500 },
  );
});

test("an event that was too long for a message of the bus stands in the record whole", async () => {
  const it = await start(["agent"]);
  const id = await it.post(1, "x".repeat(250_000));
  await it.run(() => it.got.length === 1);
  const line = JSON.parse(await it.history());
  expect([line.event.id, line.event.payload.key.length]).toEqual([id, 250_000]);
  expect(line.event.replay_of).toBeUndefined();
});

test("keys of a source go beside each other on the bus; each keeps its order", async () => {
  const it = await start(["agent"], 1000, true);
  for (let n = 0; n < 12; n += 1) await it.post(n, `k${n % 3}`);
  // A router dies with a message of one key in hand: the others are not behind it.
  const taken = await it.dieWithOne(it.names.bus);
  const key = taken.payload.key;
  await it.run(() => it.got.length === 8);
  const numbers = it.got.map((one) => Number(one.split(" ")[1]));
  expect(numbers.some((n) => `k${n % 3}` === key)).toBe(false);
  await it.run(() => it.got.length === 12);
  const all = it.got.map((one) => Number(one.split(" ")[1]));
  for (const rest of [0, 1, 2]) {
    const ofKey = all.filter((n) => n % 3 === rest);
    expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
  }
});
