import { appendFile, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { testEvent } from "@orgloop/testkit";
import { expect, test } from "vitest";
import {
  eventually,
  type Fixture,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "../process/process-fixture.ts";
import { eventRecorder, recordFiles } from "../telemetry/event-recorder.ts";
import { findRecorded, readRecorded } from "./recorded-events.ts";

const headers = { authorization: `Bearer ${TOKEN}` };

async function replay<T = Record<string, unknown>>(fixture: Fixture, body: unknown): Promise<T> {
  const response = await fixture.post("/control/replay", body, { headers });
  return (await response.json()) as T;
}

function recording() {
  const got: { route: string; n: unknown; id: string; replay: number; inEvent?: number }[] = [];
  const agent = recordingActor((event, { route, replay }) => {
    const { id, payload } = event;
    got.push({ route, n: payload.n, id, replay, ...(event.replay && { inEvent: event.replay }) });
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  return { got, parts };
}

test("recorded events are routed anew: same id, marked, to the route asked for, again after a restart", async () => {
  const { got, parts } = recording();
  const routes = [route("a", "hook", "agent"), route("b", "hook", "agent")];
  const topology = topologyOf(parts, routes, { bus: "file" });
  const fixture = await startFixture(topology, parts);
  for (const n of [1, 2, 3]) await fixture.post("/webhook/hook", { n });
  await eventually(() => expect(got).toHaveLength(6));
  const ids = [1, 2, 3].map((n) => got.find((one) => one.n === n)?.id);
  got.length = 0;

  const since = "2000-01-01";
  expect(await replay(fixture, { since, dry_run: true })).toEqual({
    dry_run: true,
    matched: 3,
    not_found: [],
  });
  expect(await replay(fixture, { since, source: "other" })).toMatchObject({ matched: 0 });
  expect(await replay(fixture, { since, until: "2000-01-02" })).toMatchObject({ matched: 0 });
  expect(await replay(fixture, { events: [ids[1], "evt_0"], route: "b" })).toEqual({
    dry_run: false,
    matched: 1,
    not_found: ["evt_0"],
  });
  await eventually(() => expect(got).toHaveLength(1));
  expect(got).toEqual([{ route: "b", n: 2, id: ids[1], replay: 1, inEvent: 1 }]);
  await eventually(() => expect(fixture.status().unacked).toBe(0));
  await fixture.drain();
  got.length = 0;

  const again = await startFixture(topology, parts, { dataDir: fixture.dataDir });
  expect(await replay(again, { since })).toMatchObject({ matched: 3 });
  await eventually(() => expect(got).toHaveLength(6));
  expect(got.filter((one) => one.route === "a").map(({ id, replay }) => [id, replay])).toEqual([
    [ids[0], 1],
    [ids[1], 2],
    [ids[2], 1],
  ]);
  expect(await replay(again, {})).toEqual({ error: "expected `events` or `since`" });
  expect(await replay(again, { since, route: "c" })).toEqual({ error: 'there is no route "c"' });
  expect(await replay(again, { since, rate: "often" })).toMatchObject({
    error: expect.stringContaining("is not a rate"),
  });
});

test("an event that is still unacked can be replayed beside itself, and each is acked by itself", async () => {
  const first = Promise.withResolvers<void>();
  const got: [string, number][] = [];
  const slow = recordingActor(async (_, { replay }) => {
    if (replay === 0) await first.promise;
    got.push(["slow", replay]);
  });
  const quick = recordingActor((_, { replay }) => void got.push(["quick", replay]));
  const parts = { sources: { hook: jsonWebhook() }, actors: { slow, quick } };
  const none = { order: "none" } as const;
  const routes = [route("slow", "hook", "slow", none), route("quick", "hook", "quick")];
  const fixture = await startFixture(topologyOf(parts, routes), parts);
  await fixture.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(got).toEqual([["quick", 0]]));
  const since = "2000-01-01";
  await replay(fixture, { since });
  await eventually(() => expect(got).toHaveLength(3));
  expect(fixture.status().unacked).toBe(1);
  await replay(fixture, { since, route: "quick" });
  await eventually(() => expect(got).toContainEqual(["quick", 2]));
  first.resolve();
  await eventually(() => expect(fixture.status().unacked).toBe(0));
  expect(got).toHaveLength(5);
});

test("many replays go through in order, however many they are", async () => {
  const { got, parts } = recording();
  const topology = topologyOf(parts, [route("a", "hook", "agent", { overflow: "drop_oldest" })], {
    queueDepth: 150,
  });
  const fixture = await startFixture(topology, parts);
  const events = Array.from({ length: 100 }, (_, n) => ({ source: "hook", payload: { n } }));
  for (let round = 0; round < 4; round += 1) {
    await fixture.post("/control/inject", events, { headers });
    await eventually(() => expect(got).toHaveLength((round + 1) * 100));
  }
  const before = got.splice(0);
  expect(await replay(fixture, { since: "2000-01-01" })).toMatchObject({ matched: 400 });
  await eventually(() => expect(got).toHaveLength(400));
  expect(got.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
  expect(fixture.status().dead_letters).toBe(0);
});

const event = (n: number): OrgLoopEvent =>
  testEvent({ id: `evt_${n}`, source: "hook", payload: { n, text: "é😀".repeat(50) } });

test("the record is bounded by age and size, hour by hour, and read past damage", async () => {
  const dir = await temporaryDir();
  const warnings: string[] = [];
  let nowMs = Date.parse("2026-11-01T00:30:00Z");
  const recorder = eventRecorder({
    dir,
    retentionMs: () => 5 * 3_600_000,
    maxBytes: 3_000,
    clock: { now: () => nowMs, wall: () => nowMs },
    warn: (message) => warnings.push(message),
  });
  for (let n = 0; n < 4; n += 1) {
    recorder.record(event(n), []);
    recorder.record({ ...event(n), replay: n + 1 }, []);
    await recorder.flush();
    nowMs += 3_600_000;
  }
  expect((await readdir(join(dir, "2026-11-01"))).sort()).toEqual([
    "01.jsonl",
    "02.jsonl",
    "03.jsonl",
  ]);
  await appendFile(join(dir, "2026-11-01/02.jsonl"), '{"at":"2026-\nno json\n');
  nowMs = Date.parse("2026-11-01T07:10:00Z");
  recorder.record(event(7), []);
  recorder.record(event(7), []);
  await recorder.flush();
  expect(await recordFiles(dir)).toEqual(
    ["02", "03", "07"].map((hour) => `2026-11-01/${hour}.jsonl`),
  );
  const found = await findRecorded({ dir }, { since: "2026-11-01T02:00:00Z" });
  expect(found.map(({ id, replays }) => [id, replays])).toEqual([
    ["evt_2", 3],
    ["evt_3", 4],
    ["evt_7", 0],
  ]);
  for (const one of found) expect((await readRecorded({ dir }, one.place))?.event.id).toBe(one.id);
  expect(await findRecorded({ dir }, { since: "2026-11-01T04:00:00Z" })).toHaveLength(1);
  expect(await findRecorded({ dir }, { until: "2026-11-01T03:00:00Z" })).toHaveLength(1);
  expect(await findRecorded({ dir }, { ids: new Set(["evt_3"]) })).toHaveLength(1);
  expect((await readFile(join(dir, "2026-11-01/03.jsonl"), "utf8")).split("\n")).toHaveLength(3);
  expect(warnings).toEqual([]);
});

test("what a transform dropped stays dropped on that route, unless the event itself is asked for", async () => {
  const { got, parts } = recording();
  let open = false;
  const gate = {
    execute: async (event: OrgLoopEvent) => (open || event.payload.n !== 2 ? event : null),
  };
  const withGate = { ...parts, transforms: { gate } };
  const routes = [
    { ...route("gated", "hook", "agent"), transforms: [{ ref: "gate" }] },
    route("free", "hook", "agent"),
  ];
  const fixture = await startFixture(topologyOf(withGate, routes), withGate);
  for (const n of [1, 2]) await fixture.post("/webhook/hook", { n });
  await eventually(() => expect(got).toHaveLength(3));
  const second = got.find(({ n }) => n === 2)?.id;
  got.length = 0;
  open = true;
  const since = "2000-01-01";
  expect(await replay(fixture, { since, route: "gated" })).toMatchObject({ matched: 1 });
  expect(await replay(fixture, { since })).toMatchObject({ matched: 2 });
  await eventually(() => expect(got).toHaveLength(4));
  expect(got.filter(({ n }) => n === 2).map((one) => one.route)).toEqual(["free"]);
  expect(await replay(fixture, { events: [second], route: "gated" })).toMatchObject({ matched: 1 });
  await eventually(() => expect(got).toHaveLength(5));
  expect(got[4]).toMatchObject({ route: "gated", n: 2, replay: 2 });
});
