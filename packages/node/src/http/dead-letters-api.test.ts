import {
  type DeadLetter,
  type DeadLetterSummary,
  type DeliveryContext,
  PermanentError,
} from "@orgloop/sdk";
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

const headers = { authorization: `Bearer ${TOKEN}` };

async function control<T = unknown>(fixture: Fixture, path: string, body?: unknown): Promise<T> {
  const url = `/control/dead-letters${path}`;
  const response = await (body === undefined
    ? fixture.get(url, { headers })
    : fixture.post(url, body, { headers }));
  return (await response.json()) as T;
}

const list = (fixture: Fixture, query = "") => control<DeadLetterSummary[]>(fixture, query);
const counts = (fixture: Fixture) => fixture.status().dead_letters;

/** An actor that refuses for good until it is mended. */
function illActor() {
  const seen: { n: unknown; replay: number; id: string; inEvent: number | undefined }[] = [];
  const state = { ill: true };
  const actor = recordingActor((event, context: DeliveryContext) => {
    const { n } = event.payload;
    seen.push({ n, replay: context.replay, id: event.id, inEvent: event.replay });
    if (state.ill) throw new PermanentError(`no to ${n}`);
  });
  return { actor, seen, state };
}

async function withLetters(count: number, options: { dataDir?: string } = {}) {
  const ill = illActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent: ill.actor } };
  const topology = topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" });
  const fixture = await startFixture(topology, parts, options);
  for (let n = 0; n < count; n += 1) await fixture.post("/webhook/hook", { n });
  await eventually(() => expect(counts(fixture)).toBe(count));
  return { ...ill, fixture, parts, topology };
}

test("letters are listed, filtered and shown; the token is wanted", async () => {
  const { fixture } = await withLetters(3);
  const letters = await list(fixture);
  expect(letters).toHaveLength(3);
  expect(Object.keys(letters[0] ?? {})).toEqual([
    "id",
    "event_id",
    "route",
    "actor",
    "reason",
    "attempts",
    "first_at",
    "last_at",
    "last_error",
  ]);
  expect(letters[0]).toMatchObject({ route: "r", actor: "agent", reason: "permanent" });
  expect(await list(fixture, "?route=other")).toEqual([]);
  expect(await list(fixture, "?reason=permanent&actor=agent&since=2000-01-01")).toHaveLength(3);
  expect(await list(fixture, "?until=2000-01-01")).toEqual([]);
  expect(await control(fixture, "?reason=tired")).toMatchObject({
    error: expect.stringContaining('reason: found "tired", expected one of exhausted'),
  });
  const shown = await control<DeadLetter>(fixture, `/${letters[1]?.id}`);
  expect(shown).toMatchObject({ event: { payload: { n: 1 } }, ordering_key: "hook" });
  expect((await fixture.get("/control/dead-letters/dl_0", { headers })).status).toBe(404);
  expect((await fixture.get("/control/dead-letters")).status).toBe(401);
});

test("a replay brings the same events again, in order and marked, and the letters go", async () => {
  const { fixture, seen, state } = await withLetters(4);
  const ids = seen.splice(0).map(({ id }) => id);
  expect(await control(fixture, "/replay", { dry_run: true })).toEqual({
    dry_run: true,
    matched: 4,
    refused: [],
  });
  expect(seen).toEqual([]);
  state.ill = false;
  expect(await control(fixture, "/replay", {})).toMatchObject({ matched: 4, started: 4 });
  await eventually(() => expect(counts(fixture)).toBe(0));
  expect(seen).toEqual(ids.map((id, n) => ({ n, id, replay: 1, inEvent: 1 })));
  expect(await list(fixture)).toEqual([]);
});

test("a replay that fails again leaves one letter, brought up to date, in its place", async () => {
  const { fixture, seen, state } = await withLetters(3);
  const [, second] = await list(fixture);
  const ids = [second?.id];
  await control(fixture, "/replay", { ids });
  await eventually(async () => expect((await list(fixture))[1]?.attempts).toBe(2));
  const letters = await list(fixture);
  expect(letters).toHaveLength(3);
  expect(letters[1]).toMatchObject({ id: second?.id, first_at: second?.first_at });
  expect(counts(fixture)).toBe(3);
  state.ill = false;
  await eventually(() => expect(seen).toHaveLength(4));
  await control(fixture, "/replay", { ids });
  await eventually(() => expect(counts(fixture)).toBe(2));
  expect(seen.filter(({ n }) => n === 1).map(({ replay }) => replay)).toEqual([0, 1, 2]);
});

test("a letter without its route, or with another actor, is refused by name", async () => {
  const { fixture, parts, topology } = await withLetters(1);
  const [letter] = await list(fixture);
  await fixture.drain();
  const other = recordingActor();
  const both = { ...parts, actors: { ...parts.actors, other } };
  const refusalIn = async (routes: typeof topology.routes, running = both) => {
    const changed = topologyOf(running, routes, { bus: "file" });
    const again = await startFixture(changed, running, { dataDir: fixture.dataDir });
    const answer = await control<{ started: number; refused: unknown[] }>(again, "/replay", {});
    expect(answer.started).toBe(0);
    expect(counts(again)).toBe(1);
    await again.drain();
    return answer.refused;
  };
  const refused = (error: string) => [{ id: letter?.id, error }];
  expect(await refusalIn([route("new", "hook", "agent")])).toEqual(
    refused('the route "r" no longer exists'),
  );
  expect(await refusalIn([route("r", "hook", "other")])).toEqual(
    refused('the route "r" now goes to "other", no longer to "agent"'),
  );
  const withoutAgent = { ...both, actors: { other } } as unknown as typeof both;
  expect(await refusalIn([route("r", "hook", "other")], withoutAgent)).toEqual(
    refused('the actor "agent" no longer exists'),
  );
});

test("a replay under way is not begun twice, not purged, and not lost when the process stops", async () => {
  const dataDir = await temporaryDir();
  let hang = false;
  let calls = 0;
  const agent = recordingActor(async (_, { signal }) => {
    calls += 1;
    if (!hang) throw new PermanentError("no");
    await new Promise((_, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const topology = topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" });
  const fixture = await startFixture(topology, parts, { dataDir, drainMs: 10 });
  await fixture.post("/webhook/hook", { n: 1 });
  await eventually(() => expect(counts(fixture)).toBe(1));
  hang = true;
  expect(await control(fixture, "/replay", {})).toMatchObject({ started: 1, under_way: 0 });
  await eventually(() => expect(calls).toBe(2));
  expect(await control(fixture, "/replay", {})).toMatchObject({ started: 0, under_way: 1 });
  expect(await control(fixture, "/purge", {})).toEqual({ purged: 0, under_way: 1 });
  await fixture.drain();
  hang = false;
  const again = await startFixture(topology, parts, { dataDir });
  expect(counts(again)).toBe(1);
  expect(await control(again, "/purge", { reason: "expired" })).toMatchObject({ purged: 0 });
  expect(await control(again, "/purge", {})).toEqual({ purged: 1, under_way: 0 });
  expect(counts(again)).toBe(0);
});

test("a replay waits for room: it displaces nothing, and `expired` ones go", async () => {
  let hold = false;
  const gate = Promise.withResolvers<void>();
  const got: unknown[] = [];
  const agent = recordingActor(async ({ payload }, { replay }) => {
    if (hold) await gate.promise;
    else throw new PermanentError("no");
    got.push([payload.n, replay]);
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const delivery = { overflow: "drop_oldest", max_age: "1h", concurrency: 1 } as const;
  const topology = topologyOf(parts, [route("r", "hook", "agent", delivery)], { queueDepth: 2 });
  const fixture = await startFixture(topology, parts);
  const old = new Date(Date.now() - 7_200_000).toISOString();
  const event = { source: "hook", payload: { n: 0 } };
  await fixture.post("/control/inject", { ...event, timestamp: old }, { headers });
  await eventually(async () => expect((await list(fixture))[0]?.reason).toBe("expired"));
  for (const n of [1, 2]) await fixture.post("/webhook/hook", { n });
  await eventually(() => expect(counts(fixture)).toBe(3));
  hold = true;
  for (const n of [3, 4, 5]) await fixture.post("/webhook/hook", { n });
  await eventually(() => expect(fixture.status().actors[0]?.queued).toBe(2));
  expect(await control(fixture, "/replay", {})).toMatchObject({ started: 3 });
  gate.resolve();
  await eventually(() => expect(counts(fixture)).toBe(0));
  expect(got).toEqual([
    [3, 0],
    [4, 0],
    [5, 0],
    [0, 1],
    [1, 1],
    [2, 1],
  ]);
});
