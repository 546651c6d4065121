import type { OrgLoopEvent, Topology, Transform } from "@orgloop/sdk";
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
} from "./process-fixture.ts";

/** A transform that no event passes before the test opens it. */
function gated(): Transform & { open(): void; readonly seen: unknown[] } {
  const gate = Promise.withResolvers<void>();
  const seen: unknown[] = [];
  return {
    seen,
    open: () => gate.resolve(),
    async execute(event) {
      seen.push(event.payload.n);
      await gate.promise;
      return event;
    },
  };
}

const numbersOf = (events: readonly OrgLoopEvent[]) => events.map(({ payload }) => payload.n);
const using = (...refs: string[]) => ({ transforms: refs.map((ref) => ({ ref })) });
const lettersOf = async (process: Fixture) =>
  (await (await process.get("/control/dead-letters", authorized)).json()) as {
    readonly id: string;
  }[];

/** A route that fails after its transforms, whatever the event. */
const faulty = { key: "payload.constructor" };

test("a fault of a route is a dead letter of that route; the others deliver", async () => {
  const agent = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const routes = [route("bad", "hook", "agent", faulty), route("good", "hook", "agent")];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await process.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 1 }));
  expect(numbersOf(agent.got)).toEqual([1]);
  expect(await lettersOf(process)).toMatchObject([
    { route: "bad", actor: "agent", reason: "invalid", attempts: 0 },
  ]);
});

test("the replay of a route's fault routes the event anew to that route, through its transforms", async () => {
  const dataDir = await temporaryDir();
  const agent = recordingActor();
  const mark = async (event: OrgLoopEvent) => ({ ...event, payload: { n: 1, marked: true } });
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent },
    transforms: { mark: { execute: mark } },
  };
  const other = route("other", "hook", "agent");
  const bad = { ...route("bad", "hook", "agent", faulty), ...using("mark") };
  const first = await startFixture(topologyOf(parts, [bad, other]), parts, { dataDir });
  await first.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(first.status()).toMatchObject({ unacked: 0, dead_letters: 1 }));
  await first.drain();

  const mended = { ...bad, delivery: other.delivery };
  const process = await startFixture(topologyOf(parts, [mended, other]), parts, { dataDir });
  agent.got.length = 0;
  const [letter] = await lettersOf(process);
  await process.post("/control/dead-letters/replay", { ids: [letter?.id] }, authorized);
  await eventually(() => expect(process.status().dead_letters).toBe(0));
  expect(agent.got).toMatchObject([{ replay: 1, payload: { n: 1, marked: true } }]);
});

test("a replay whose transforms drop the event leaves no letter; one that fails again is one letter", async () => {
  const dataDir = await temporaryDir();
  const agent = recordingActor();
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent },
    transforms: {
      none: { execute: async () => null },
      some: { execute: async (e: OrgLoopEvent) => e },
    },
  };
  const bad = (ref: string) => ({ ...route("bad", "hook", "agent", faulty), ...using(ref) });
  const first = await startFixture(topologyOf(parts, [bad("some")]), parts, { dataDir });
  await first.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(first.status()).toMatchObject({ unacked: 0, dead_letters: 1 }));
  const [letter] = await lettersOf(first);
  await first.post("/control/dead-letters/replay", { ids: [letter?.id] }, authorized);
  await eventually(async () =>
    expect(
      await (await first.get(`/control/dead-letters/${letter?.id}`, authorized)).json(),
    ).toMatchObject({
      event: { replay: 1 },
    }),
  );
  expect(first.status().dead_letters).toBe(1);
  await first.drain();

  const dropping = { ...bad("none"), delivery: route("x", "hook", "agent").delivery };
  const process = await startFixture(topologyOf(parts, [dropping]), parts, { dataDir });
  await process.post("/control/dead-letters/replay", { ids: [letter?.id] }, authorized);
  await eventually(() => expect(process.status().dead_letters).toBe(0));
  expect(agent.got).toEqual([]);
});

test.each<[string, unknown]>([
  ["an empty object", {}],
  ["a list", []],
  ["a number", 7],
  ["text", "evt_1"],
  ["nothing at all", undefined],
  ["no source", { id: "evt_1", type: "resource.changed", payload: {} }],
  ["no payload", { id: "evt_1", type: "resource.changed", source: "hook" }],
  ["an unknown type", { id: "evt_1", type: "x", source: "hook", payload: {} }],
  ["a payload that is none", { id: "evt_1", type: "resource.changed", source: "hook", payload: 3 }],
  ["an id that is none", { id: 1, type: "resource.changed", source: "hook", payload: {} }],
  ["what is no JSON", { id: "1", type: "resource.changed", source: "hook", payload: { n: 1n } }],
])("a transform that answers %s has failed: on_error decides", async (_, answer) => {
  const [lenient, strict] = [recordingActor(), recordingActor()];
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { lenient, strict },
    transforms: { nonsense: { execute: async () => answer as OrgLoopEvent } },
  };
  const routes = [
    { ...route("strict", "hook", "strict"), ...using("nonsense") },
    {
      ...route("lenient", "hook", "lenient"),
      transforms: [{ ref: "nonsense", on_error: "pass" as const }],
    },
  ];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await process.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 0 }));
  expect(numbersOf(lenient.got)).toEqual([1]);
  expect(strict.got).toEqual([]);
  const phases = process.entries.map(({ phase }) => phase);
  expect(phases).toEqual(expect.arrayContaining(["transform.error", "transform.error_drop"]));
});

test("a transform that changes the event it was given changes it for nobody else", async () => {
  const [one, two] = [recordingActor(), recordingActor()];
  const vandal: Transform = {
    async execute(event) {
      Object.assign(event.payload, { n: "changed" });
      Object.assign(event, { source: "changed" });
      return event;
    },
  };
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { one, two },
    transforms: { vandal },
  };
  const routes = [
    { ...route("one", "hook", "one"), ...using("vandal") },
    route("two", "hook", "two"),
  ];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await process.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(process.status().unacked).toBe(0));
  expect(one.got).toMatchObject([{ source: "changed", payload: { n: "changed" } }]);
  expect(two.got).toMatchObject([{ source: "hook", payload: { n: 1 } }]);
});

/** Routes `slow`, with a gated transform, and `quick`, to actors of the same names. */
async function withSlowRoute(
  change: (topology: Topology) => Topology = (topology) => topology,
  delivery: Parameters<typeof route>[3] = {},
) {
  const gate = gated();
  const [slow, quick] = [recordingActor(), recordingActor()];
  const parts: FixtureParts = {
    sources: { hook: jsonWebhook(), other: jsonWebhook() },
    actors: { slow, quick },
    transforms: { gate },
  };
  const slowRoute = { ...route("slow", "hook", "slow", delivery), ...using("gate") };
  const topology = topologyOf(parts, [slowRoute, route("quick", "hook", "quick")]);
  const process = await startFixture(change(topology), parts);
  return { gate, slow, quick, process };
}

test("a slow transform delays neither the other routes of its source nor its route's other keys", async () => {
  const { gate, slow, quick, process } = await withSlowRoute();
  const posts = [
    { n: 1, key: "a" },
    { n: 2, key: "a" },
    { n: 3, key: "b" },
  ];
  for (const body of posts) await process.post("/webhook/hook", body);
  await quick.until(3);
  await eventually(() => expect(gate.seen).toEqual([1, 3]));
  expect(slow.got).toEqual([]);
  expect(process.status()).toMatchObject({ unacked: 3 });
  expect(process.status().actors).toMatchObject([{ id: "slow", queued: 3 }, { id: "quick" }]);
  gate.open();
  await slow.until(3);
  await eventually(() => expect(process.status().unacked).toBe(0));
  const ofKey = (key: string) => slow.got.filter(({ ordering_key: own }) => own === key);
  expect(numbersOf(ofKey("a"))).toEqual([1, 2]);
});

test("the record of an event is written when its lanes have ended", async () => {
  const { gate, slow, quick, process } = await withSlowRoute();
  await process.post("/webhook/hook", { n: 1 });
  await quick.until(1);
  expect(await (await process.get("/api/events")).json()).toEqual([]);
  gate.open();
  await slow.until(1);
  expect(await (await process.get("/api/events")).json()).toMatchObject([
    { matched_routes: ["slow", "quick"] },
  ]);
});

test("what waits in lanes counts: the oldest leaves untransformed, and its replay transforms it", async () => {
  const limits = { queue_depth: 2, overflow: "drop_oldest" as const };
  const { gate, slow, quick, process } = await withSlowRoute(undefined, limits);
  for (const n of [1, 2, 3, 4]) await process.post("/webhook/hook", { n });
  await quick.until(4);
  await eventually(() => expect(process.status().dead_letters).toBe(2));
  expect(await lettersOf(process)).toMatchObject([
    { route: "slow", reason: "backpressure" },
    { route: "slow", reason: "backpressure" },
  ]);
  gate.open();
  await slow.until(2);
  expect(numbersOf(slow.got)).toEqual([3, 4]);
  await process.post("/control/dead-letters/replay", {}, authorized);
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 0 }));
  expect(gate.seen).toEqual([1, 3, 4, 1, 2]);
  expect(numbersOf(slow.got)).toEqual([3, 4, 1, 2]);
});

test("a drain cuts lanes short, and what was in them comes again", async () => {
  const dataDir = await temporaryDir();
  const gate = gated();
  const agent = recordingActor();
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent },
    transforms: { gate },
  };
  const routes = [{ ...route("slow", "hook", "agent"), ...using("gate") }];
  const topology = topologyOf(parts, routes, { bus: "file" });
  const first = await startFixture(topology, parts, { dataDir, drainMs: 10 });
  for (const n of [1, 2]) await first.post("/webhook/hook", { n });
  await eventually(() => expect(gate.seen).toEqual([1]));
  await first.drain();
  gate.open();
  const process = await startFixture(topology, parts, { dataDir });
  await agent.until(2);
  expect(numbersOf(agent.got)).toEqual([1, 2]);
  await eventually(() => expect(process.status()).toMatchObject({ unacked: 0, dead_letters: 0 }));
});

test("behind a lane exactly one event of a key passes dedup", async () => {
  const agent = recordingActor();
  const claimed = new Set<unknown>();
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent },
    transforms: {
      slow: { execute: async (event: OrgLoopEvent) => event },
      once: {
        inline: true,
        async execute(event: OrgLoopEvent) {
          if (claimed.has(event.payload.n)) return null;
          claimed.add(event.payload.n);
          return event;
        },
      },
    },
  };
  const routes = [{ ...route("r", "hook", "agent"), ...using("slow", "once") }];
  const process = await startFixture(topologyOf(parts, routes), parts);
  await Promise.all(
    ["a", "b", "c", "d"].map((key) => process.post("/webhook/hook", { n: 1, key })),
  );
  await eventually(() => expect(process.status().unacked).toBe(0));
  expect(numbersOf(agent.got)).toEqual([1]);
});

const authorized = { headers: { authorization: `Bearer ${TOKEN}` } };
