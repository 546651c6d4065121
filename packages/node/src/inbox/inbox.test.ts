import { request } from "node:http";
import type { DeliveryContext, OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { expect, test } from "vitest";
import {
  eventually,
  type Fixture,
  type FixtureParts,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

interface Drained {
  readonly events: readonly OrgLoopEvent[];
  readonly remaining: number;
  readonly continuation: string | null;
}

async function read<T>(fixture: Fixture, path: string): Promise<T> {
  return (await (await fixture.get(`/api/inbox/${path}`)).json()) as T;
}

const drain = (fixture: Fixture, query = "session_key=agent-a") =>
  read<Drained>(fixture, `drain?${query}`);
const pending = async (fixture: Fixture, key = "agent-a") =>
  (await read<{ pending: number }>(fixture, `status?session_key=${key}`)).pending;
const numbers = ({ events }: Drained) => events.map(({ payload }) => payload.n);

function inboxRoute(config: Record<string, unknown> = {}): RouteSpec {
  const inbox = { inbox: true, session_key: "agent-{{payload.for}}", ...config };
  return { ...route("r", "hook", "agent"), then: { actor: "agent", config: inbox } };
}

/** An actor that says what it was told, and the config that came with it. */
function toldActor(act: (event: OrgLoopEvent) => void | Promise<void> = () => {}) {
  const configs: unknown[] = [];
  const actor = recordingActor((event, { config }: DeliveryContext) => {
    configs.push(config);
    return act(event);
  });
  const reported = () =>
    actor.got.map(({ payload }) => [payload.session_key, payload.pending_count]);
  return { actor, configs, reported };
}

async function start(
  parts: FixtureParts,
  routeSpec: RouteSpec = inboxRoute(),
  options: Parameters<typeof startFixture>[2] = {},
) {
  const topology = topologyOf(parts, [routeSpec], { bus: "file" });
  return startFixture(topology, parts, options);
}

const partsOf = (agent: FixtureParts["actors"]) => ({
  sources: { hook: jsonWebhook() },
  ...(agent && { actors: agent }),
});

async function post(fixture: Fixture, ...ns: number[]) {
  for (const n of ns) {
    expect((await fixture.post("/webhook/hook", { n, for: "a" })).status).toBe(200);
  }
}

const settled = (fixture: Fixture) => eventually(() => expect(fixture.status().unacked).toBe(0));

test("events wait in the session's inbox; the actor is told once, until it has drained", async () => {
  const { actor, configs, reported } = toldActor();
  const fixture = await start(partsOf({ agent: actor }));
  await post(fixture, 1, 2, 3);
  await actor.until(1);
  await settled(fixture);
  expect(reported()).toEqual([["agent-a", expect.any(Number)]]);
  expect(configs[0]).toMatchObject({ session_key: "agent-a", inbox: true });
  expect(actor.got[0]).toMatchObject({ source: "orgloop", type: "message.received" });
  expect(await pending(fixture)).toBe(3);
  expect(await read(fixture, "list")).toEqual({
    sessions: [{ sessionKey: "agent-a", pending: 3 }],
  });

  const first = await drain(fixture);
  expect(numbers(first)).toEqual([1, 2, 3]);
  expect(first).toMatchObject({ remaining: 0, continuation: null });
  expect(await drain(fixture)).toEqual({ events: [], remaining: 0, continuation: null });
  await eventually(async () => expect(await read(fixture, "list")).toEqual({ sessions: [] }));

  await post(fixture, 4);
  await actor.until(2);
  expect(reported()).toHaveLength(2);
  const notices = () => fixture.entries.filter(({ phase }) => phase === "inbox.notify");
  await eventually(() => expect(notices()).toHaveLength(2));
  // Events that are kept, not what tells of them.
  expect(fixture.status().routes).toMatchObject([{ matched: 4, delivered: 4, failed: 0 }]);
});

test("a drain takes what it is asked for, else the route's batch; what it leaves is told of", async () => {
  const { actor, reported } = toldActor();
  const fixture = await start(partsOf({ agent: actor }), inboxRoute({ inbox_max_batch: 2 }));
  await post(fixture, 1, 2, 3, 4, 5);
  await settled(fixture);
  await eventually(async () => expect(await pending(fixture)).toBe(5));
  await fixture.entry("inbox.notify");
  const batch = await drain(fixture);
  expect(numbers(batch)).toEqual([1, 2]);
  expect(batch).toMatchObject({ remaining: 3, continuation: expect.stringMatching(/^in_/) });
  await actor.until(2);
  expect(reported()[1]).toEqual(["agent-a", 3]);
  expect(numbers(await drain(fixture, "session_key=agent-a&limit=10"))).toEqual([3, 4, 5]);
});

test("an actor may drain while it is being told", async () => {
  const seen: unknown[] = [];
  const { actor } = toldActor(async () => {
    seen.push(...numbers(await drain(fixture)));
  });
  const fixture = await start(partsOf({ agent: actor }));
  for (let n = 0; n < 20; n += 1) await post(fixture, n);
  await eventually(() => expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => n)));
  await eventually(async () => expect(await pending(fixture)).toBe(0));
});

test("an ill actor keeps no event out of the inbox; it is told when it is well", async () => {
  const state = { ill: true };
  const { actor, reported } = toldActor(() => {
    if (state.ill) throw new Error("down");
  });
  const fixture = await start(partsOf({ agent: actor }));
  await post(fixture, 1, 2);
  await fixture.entry("deliver.dead_letter");
  await settled(fixture);
  expect(await pending(fixture)).toBe(2);
  state.ill = false;
  await post(fixture, 3);
  await actor.until(1);
  expect(reported()).toEqual([["agent-a", 3]]);

  // Its dead letter is a notification still, not an event for the inbox.
  const letters = await (await fixture.get("/control/dead-letters", { headers })).json();
  expect(letters).toHaveLength(1);
  await fixture.post("/control/dead-letters/replay", {}, { headers });
  await actor.until(2);
  expect(actor.got[1]).toMatchObject({ payload: { kind: "inbox.notification" }, replay: 1 });
  expect(await pending(fixture)).toBe(3);
});

test("what waits and who was told survive a restart; nothing is told twice, nothing forgotten", async () => {
  const dataDir = await temporaryDir();
  const { actor, reported } = toldActor();
  const parts = partsOf({ agent: actor });
  const first = await start(parts, inboxRoute(), { dataDir });
  await post(first, 1, 2);
  await first.entry("inbox.notify");
  await settled(first);
  await first.drain();
  const second = await start(parts, inboxRoute(), { dataDir });
  await post(second, 3);
  await settled(second);
  expect(reported()).toHaveLength(1);
  expect(numbers(await drain(second))).toEqual([1, 2, 3]);
  await second.drain();

  // Stopped before the actor could be told.
  const never = recordingActor(
    (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason));
      }),
  );
  const third = await start(partsOf({ agent: never }), inboxRoute(), { dataDir });
  await post(third, 4);
  await settled(third);
  await third.drain();
  const fourth = await start(parts, inboxRoute(), { dataDir });
  await actor.until(2);
  expect(reported()[1]).toEqual(["agent-a", 1]);
  expect(numbers(await drain(fourth))).toEqual([4]);
});

test("what nobody fetches becomes a dead letter, and its replay waits in the inbox again", async () => {
  const { actor } = toldActor();
  const fixture = await start(partsOf({ agent: actor }), inboxRoute({ inbox_ttl: "1ms" }));
  await post(fixture, 1);
  const buried = await fixture.entry("deliver.dead_letter");
  expect(buried).toMatchObject({ result: "expired", route: "r", target: "agent" });
  await eventually(async () => expect(await pending(fixture)).toBe(0));
  expect(fixture.status().dead_letters).toBe(1);
  await fixture.drain();

  const again = await start(partsOf({ agent: actor }), inboxRoute(), { dataDir: fixture.dataDir });
  await again.post("/control/dead-letters/replay", {}, { headers });
  await eventually(async () => expect(await pending(again)).toBe(1));
  await eventually(() => expect(again.status().dead_letters).toBe(0));
  expect((await drain(again)).events[0]).toMatchObject({ payload: { n: 1 }, replay: 1 });
});

test("what an agent fetched and lost, a replay puts back", async () => {
  const { actor } = toldActor();
  const fixture = await start(partsOf({ agent: actor }));
  await post(fixture, 1, 2);
  await settled(fixture);
  await eventually(async () => expect(await pending(fixture)).toBe(2));
  expect(numbers(await drain(fixture))).toEqual([1, 2]);
  await eventually(async () => expect(await pending(fixture)).toBe(0));
  await fixture.post("/control/replay", { since: "2020-01-01T00:00:00Z" }, { headers });
  await eventually(async () => expect(await pending(fixture)).toBe(2));
  const again = await drain(fixture);
  expect(numbers(again)).toEqual([1, 2]);
  expect(again.events[0]?.replay).toBe(1);
});

test("an answer that does not get through removes nothing; two drains at once do not share an event", async () => {
  const { actor } = toldActor();
  const fixture = await start(partsOf({ agent: actor }));
  const text = "x".repeat(8_000_000);
  await fixture.post("/webhook/hook", { n: 1, for: "a", text });
  await settled(fixture);
  await new Promise<void>((resolve) => {
    const asking = request(`${fixture.url}/api/inbox/drain?session_key=agent-a`, (response) => {
      response.once("data", () => {
        response.destroy();
        resolve();
      });
    });
    asking.end();
  });
  await eventually(async () => expect(numbers(await drain(fixture))).toEqual([1]));
  await post(fixture, ...Array.from({ length: 30 }, (_, n) => n + 2));
  await settled(fixture);
  const limit = "session_key=agent-a&limit=10";
  const batches = await Promise.all([1, 2, 3, 4].map(() => drain(fixture, limit)));
  expect(batches.flatMap(numbers).sort((a, b) => Number(a) - Number(b))).toEqual(
    Array.from({ length: 30 }, (_, n) => n + 2),
  );
});

test("what is no drain drains nothing", async () => {
  const { actor } = toldActor();
  const fixture = await start(partsOf({ agent: actor }));
  await post(fixture, 1);
  await settled(fixture);
  const url = "/api/inbox/drain?session_key=agent-a";
  expect((await fixture.get("/api/inbox/drain")).status).toBe(400);
  expect((await fixture.get("/api/inbox/status")).status).toBe(400);
  expect((await fixture.get(`${url}&limit=0`)).status).toBe(400);
  expect((await fixture.get(url, { method: "HEAD" })).status).toBe(405);
  expect((await fixture.post(url, {})).status).toBe(405);
  expect((await fixture.get(url, { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(
    403,
  );
  expect(await pending(fixture)).toBe(1);
});

test("without a session key, events go straight to the actor", async () => {
  const actor = recordingActor();
  const fixture = await start(
    partsOf({ agent: actor }),
    inboxRoute({ session_key: "{{payload.x}}" }),
  );
  await post(fixture, 1);
  await actor.until(1);
  expect(actor.got[0]?.payload.n).toBe(1);
});
