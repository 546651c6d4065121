// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references of the language
import { createHmac, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import webhook from "@orgloop/connector-webhook";
import {
  type Actor,
  type DeliveryContext,
  type DeliverySpec,
  defineConnector,
  type NetworkSpec,
  type OrgLoopEvent,
  PermanentError,
  type PluginDefinition,
  type RouteSpec,
  type Source,
  type SourceSpec,
  type Topology,
} from "@orgloop/sdk";
import { anyConfig, SAMPLE_DEFAULTS, SAMPLE_DELIVERY, storedLetters } from "@orgloop/testkit";
import { afterEach, expect, inject, test } from "vitest";
import { putSecrets } from "./put-secrets.ts";
import { type RunningFunctions, runningFunctions } from "./running-functions.ts";

const SECRET = "s3cret";
const DELIVERY: DeliverySpec = {
  ...SAMPLE_DELIVERY,
  timeout: "10s",
  concurrency: 4,
  retry: { ...SAMPLE_DELIVERY.retry, initial_delay: "2s", max_delay: "1m" },
};

let functions: RunningFunctions | undefined;
afterEach(() => functions?.end());

interface Parts {
  /** Instead of the actor in this process. */
  readonly url?: string;
  readonly network?: NetworkSpec;
  readonly act?: (event: OrgLoopEvent, context: DeliveryContext) => void | Promise<void>;
  readonly delivery?: Partial<DeliverySpec>;
  readonly source?: Source;
  /** Of both sources. */
  readonly schemas?: SourceSpec["schemas"];
}

async function start(parts: Parts = {}) {
  const { act = () => {}, delivery = {}, source = {}, url, network, schemas } = parts;
  const checked = schemas && { schemas };
  const got: string[] = [];
  const actor: Actor = {
    async deliver(event, context) {
      await act(event, context);
      got.push(String(event.payload.n));
      return undefined;
    },
  };
  const route: RouteSpec = {
    name: "r",
    when: { source: ["hook", "feed"], events: ["resource.changed"] },
    transforms: [],
    then: { actor: "agent", config: {} },
    delivery: { ...DELIVERY, ...delivery },
  };
  const topology: Topology = {
    project: "acme",
    workspace: "test",
    bus: { url: "sqs" },
    defaults: SAMPLE_DEFAULTS,
    sources: [
      {
        id: "hook",
        connector: "webhook",
        config: { secret: SECRET },
        key: "payload.key",
        ...checked,
      },
      { id: "feed", connector: "feed", config: {}, ...checked },
    ],
    actors: [{ id: "agent", ...agentOf(url), queue_depth: 1000 }],
    ...(network && { network }),
    routes: [route],
    transforms: [],
    loggers: [],
  };
  const plugins = {
    webhook: webhook as PluginDefinition,
    agent: defineConnector({
      id: "agent",
      actor: { config: anyConfig(), create: async () => actor },
    }),
    feed: defineConnector({
      id: "feed",
      source: { config: anyConfig(), create: async () => source },
    }),
  } as Record<string, PluginDefinition>;
  functions = await runningFunctions(topology, plugins, inject("aws"));
  return { ...functions, got };
}

function agentOf(url: string | undefined) {
  if (url === undefined) return { connector: "agent", config: {} };
  const config = { url, auth: { type: "bearer", token: "${AGENT_TOKEN}" } };
  return { connector: "webhook", config };
}

/** A request as Lambda hands it over, signed. */
function request(body: string | Buffer, more: Readonly<Record<string, string>> = {}) {
  const bytes = Buffer.from(body);
  const signature = createHmac("sha256", SECRET).update(bytes).digest("hex");
  return {
    rawPath: "/webhook/hook",
    rawQueryString: "",
    headers: {
      "content-type": "application/json",
      "x-hub-signature-256": `sha256=${signature}`,
      "Idempotency-Key": randomUUID(),
      ...more,
    },
    body: bytes.toString("base64"),
    isBase64Encoded: true,
    requestContext: { http: { method: "POST" } },
  };
}

const numbered = (n: number, key = "k", more: object = {}) =>
  request(JSON.stringify({ n, key, ...more }));

test("a signed webhook reaches its actor once, in order; the history has it", async () => {
  const it = await start();
  for (const n of [1, 2, 3]) {
    const { statusCode, body = "" } = await it.receive(numbered(n, "k", { text: "ü\u2028\u0000" }));
    expect(statusCode).toBe(200);
    expect(JSON.parse(body)).toMatchObject({ ok: true, event_id: expect.stringMatching(/^evt_/) });
  }
  await it.run(() => it.got.length === 3);
  expect(it.got).toEqual(["1", "2", "3"]);
  expect((await it.history()).trim().split("\n")).toHaveLength(3);
  const phases = it.lines.map((line) => JSON.parse(line).phase);
  for (const phase of ["source.emit", "route.match", "deliver.attempt", "deliver.success"]) {
    expect(phases.filter((one) => one === phase)).toHaveLength(3);
  }
});

test("what is refused, and how", async () => {
  const it = await start();
  const status = async (event: Parameters<typeof it.receive>[0]) =>
    (await it.receive(event)).statusCode;
  expect(await status({ ...numbered(1), rawPath: "/webhook/nobody" })).toBe(404);
  expect(await status({ ...numbered(1), rawPath: "/elsewhere" })).toBe(404);
  expect(await status(request("{}", { "x-hub-signature-256": "sha256=00" }))).toBe(401);
  // Refused for its signature before anybody looks at what it holds.
  expect(await status(request("no json", { "x-hub-signature-256": "sha256=00" }))).toBe(401);
  expect(await status(request("no json"))).toBe(400);
  expect(await status(request(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])))).toBe(400);
  expect(await status(request(JSON.stringify({ text: "x".repeat(7 * 1024 ** 2) })))).toBe(413);
  const get = { http: { method: "GET" } };
  expect(await status({ ...numbered(1), requestContext: get })).toBe(405);
  expect(it.got).toEqual([]);
});

test("what does not fit its source's schema is a dead letter, posted or polled", async () => {
  const schema = { description: "not ${A_SECRET}", properties: { n: { type: "integer" } } };
  const drafts = ["one", 2].map((n) => ({ provenance: { platform: "feed" }, payload: { n } }));
  const it = await start({
    schemas: { "resource.changed": { file: "n.json", text: JSON.stringify(schema) } },
    source: {
      async *poll() {
        yield { events: drafts, checkpoint: "1" };
      },
    },
  });
  const { statusCode, body = "" } = await it.receive(request(JSON.stringify({ n: "three" })));
  const { event_id, invalid } = JSON.parse(body);
  expect({ statusCode, invalid }).toEqual({ statusCode: 200, invalid: [event_id] });
  await it.receive(numbered(4));
  await it.poll("feed", "one");
  await it.run(() => it.got.length === 2);
  expect(it.got.toSorted()).toEqual(["2", "4"]);
  const letters = await storedLetters(it.letters);
  expect(
    letters.map(({ reason, route, event }) => [reason, route, event.payload.n]).sort(),
  ).toEqual([
    ["invalid", null, "one"],
    ["invalid", null, "three"],
  ]);
  expect(letters[0]?.last_error).toBe("payload.n must be integer (n.json)");
  const phases = it.lines.map((line) => JSON.parse(line).phase);
  expect(phases.filter((phase) => phase === "deliver.dead_letter")).toHaveLength(2);
});

test("503 where SQS has not taken it, and the sender's repetition is one event", async () => {
  const it = await start();
  const sent = numbered(1);
  const names = (await import("@orgloop/aws/plan")).awsNames("nowhere");
  const { receiveFunction } = await import("@orgloop/aws/receive");
  const broken = await receiveFunction({
    env: {
      ORGLOOP_STAGE: "nowhere",
      ORGLOOP_PROJECT: "acme",
      ORGLOOP_TABLE: names.table,
      ORGLOOP_BUCKET: "nowhere",
      ORGLOOP_BUS_URL: it.busUrl.replace(/[^/]+$/, "missing.fifo"),
      ORGLOOP_SECRET_PREFIX: "/none/",
      ORGLOOP_LOG_LEVEL: "error",
      ORGLOOP_SPEC: JSON.stringify({
        sources: [{ id: "hook", connector: "webhook", config: { secret: SECRET } }],
      }),
    },
    plugins: { webhook: webhook as PluginDefinition },
    projectDir: "/",
    write: () => {},
  });
  const refused = await broken(sent);
  expect(refused).toMatchObject({ statusCode: 503, headers: { "retry-after": "5" } });
  expect((await it.receive(sent)).statusCode).toBe(200);
  expect((await it.receive(sent)).statusCode).toBe(200);
  await it.run(() => it.got.length === 1);
});

test("an event of more than 200 KB goes by way of the bucket, both times", async () => {
  const it = await start();
  const text = "é".repeat(150_000);
  let size = 0;
  const seen = await start({
    act: ({ payload }) => {
      size = String(payload.text).length;
    },
  });
  it.end();
  expect((await seen.receive(numbered(1, "k", { text }))).statusCode).toBe(200);
  await seen.run(() => seen.got.length === 1);
  expect(size).toBe(text.length);
});

test("an event that another message brings again is skipped, a killed router's is not", async () => {
  const it = await start();
  const event: OrgLoopEvent = {
    id: "evt_1",
    timestamp: new Date().toISOString(),
    source: "hook",
    type: "resource.changed",
    provenance: { platform: "test" },
    payload: { n: 1, key: "k" },
    trace_id: "trc_1",
  };
  const body = JSON.stringify({ v: 1, event });
  await it.send(it.names.bus, body, "hook");
  await it.die(it.names.bus);
  await it.run(() => it.got.length === 1);
  await it.send(it.names.bus, body, "hook");
  await it.send(
    it.names.bus,
    JSON.stringify({
      v: 1,
      event: { ...event, id: "evt_2", payload: { n: 2 }, trace_id: "trc_2" },
    }),
    "hook",
  );
  await it.run(() => it.got.length === 2);
  expect(it.got).toEqual(["1", "2"]);
});

test("a failing head keeps its group in order while others flow", async () => {
  let failures = 2;
  const it = await start({
    act: ({ payload }) => {
      if (payload.n === 1 && failures-- > 0) throw new Error("ill");
    },
  });
  for (const n of [1, 2, 3]) await it.receive(numbered(n, "x"));
  for (const n of [4, 5]) await it.receive(numbered(n, "y"));
  await it.run(() => it.got.length === 5);
  expect(it.got.filter((n) => ["1", "2", "3"].includes(n))).toEqual(["1", "2", "3"]);
  expect(it.got.slice(0, 2)).toEqual(["4", "5"]);
});

test("a function killed in mid-batch loses nothing, and order holds", async () => {
  const it = await start();
  for (const n of [1, 2, 3, 4]) await it.receive(numbered(n, n % 2 ? "odd" : "even"));
  const queue = it.names.actorQueue("agent");
  await it.invoke(it.names.bus);
  await it.die(queue);
  await it.run(() => it.got.length >= 4);
  const inLane = (rest: number) => it.got.filter((n) => Number(n) % 2 === rest);
  expect(inLane(1)).toEqual(["1", "3"]);
  expect(inLane(0)).toEqual(["2", "4"]);
});

test("exhausted, permanent and unreadable: dead letters with their reasons, the next goes on", async () => {
  const it = await start({
    delivery: { retry: { ...DELIVERY.retry, max_attempts: 2, initial_delay: "100ms" } },
    act: ({ payload }) => {
      if (payload.n === 1) throw new Error("ill");
      if (payload.n === 2) throw new PermanentError("never");
    },
  });
  await it.send(it.names.bus, "not ours", "other");
  for (const n of [1, 2, 3]) await it.receive(numbered(n));
  await it.run(() => it.got.length === 1);
  const letters = (await storedLetters(it.letters)).map(
    ({ reason, attempts }) => `${reason} ${attempts}`,
  );
  expect(letters.toSorted()).toEqual(["exhausted 2", "invalid 0", "permanent 1"]);
});

test("poison: what the function never survives becomes a dead letter, its neighbours are delivered", async () => {
  const { dynamoAttempts } = await import("@orgloop/aws/state");
  const { attemptsKey } = await import("@orgloop/aws");
  const it = await start();
  const { body = "" } = await it.receive(numbered(1, "x"));
  const [eventId] = JSON.parse(body).event_ids as string[];
  // Three attempts began and none ended.
  const key = attemptsKey({ event: { id: eventId }, route: "r", replay: 0 } as never);
  const attempts = dynamoAttempts(it.table);
  for (let at = 0; at < 3; at++) await attempts.start(key);
  await it.invoke(it.names.bus);
  await it.die(it.names.actorQueue("agent"));
  await it.receive(numbered(2, "y"));
  await it.run(async () => it.got.length === 1 && (await storedLetters(it.letters)).length === 1);
  expect(await storedLetters(it.letters)).toMatchObject([
    { reason: "poison", attempts: 3, event_id: eventId },
  ]);
  expect(it.got).toEqual(["2"]);
});

test("a poller that is killed repeats what is then one event", async () => {
  let polls = 0;
  const source: Source = {
    async *poll(checkpoint) {
      polls += 1;
      if (checkpoint === "2") return;
      const draft = (n: number) => ({
        identity: String(n),
        provenance: { platform: "test" },
        payload: { n },
      });
      if (polls === 1) {
        // The page is on the bus when the next is asked for; the lease is over by then.
        yield { events: [draft(1)], checkpoint: "0" };
        return new Promise<void>(() => {});
      }
      yield { events: [draft(1)], checkpoint: "1" };
      yield { events: [draft(2)], checkpoint: "2" };
    },
  };
  const it = await start({ source });
  void it.poll("feed", "first", 6_000);
  await it.run(() => it.got.length === 1);
  // Held by the first until its lease is over: nobody polls beside it.
  await it.poll("feed", "second", 1_000);
  expect(polls).toBe(1);
  await it.run(async () => {
    await it.poll("feed", `later-${randomUUID()}`, 20_000);
    return it.got.length === 2;
  });
  expect(it.got).toEqual(["1", "2"]);
});

test("an actor's secrets are read of SSM at the moment of use; private addresses are reached where that is allowed", async () => {
  const seen: (string | undefined)[] = [];
  const server = createServer(({ headers }, response) => {
    seen.push(headers.authorization);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const retry = { ...DELIVERY.retry, max_attempts: 1 };
  const guarded = await start({ url, delivery: { retry } });
  await putSecrets(inject("aws"), guarded.stage, { AGENT_TOKEN: "t0ken" });
  await guarded.receive(numbered(1));
  await guarded.run(async () => (await storedLetters(guarded.letters)).length === 1);
  expect(await storedLetters(guarded.letters)).toMatchObject([
    { reason: "exhausted", last_error: expect.stringContaining("network.allow_private") },
  ]);
  guarded.end();
  const open = await start({ url, network: { allow_private: ["127.0.0.0/8"] } });
  // Not set yet: nothing is attempted, nothing is lost.
  await open.receive(numbered(1));
  await open.run(() => open.lines.some((line) => line.includes("AGENT_TOKEN not set")));
  expect(seen).toEqual([]);
  await putSecrets(inject("aws"), open.stage, { AGENT_TOKEN: "t0ken" });
  await open.run(() => seen.length === 1);
  expect(seen).toEqual(["Bearer t0ken"]);
  expect(open.lines.join("")).not.toContain("t0ken");
  server.close();
});
