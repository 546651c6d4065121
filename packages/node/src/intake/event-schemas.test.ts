import type { DeadLetter, DeadLetterSummary } from "@orgloop/sdk";
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

const schemaOf = (schema: object) => ({ file: "schemas/n.json", text: JSON.stringify(schema) });
// What looks like a reference in a schema is none.
const INTEGER = schemaOf({
  // biome-ignore lint/suspicious/noTemplateCurlyInString: of the schema
  description: "not ${A_SECRET}",
  properties: { n: { type: "integer" } },
});

async function letters(fixture: Fixture): Promise<DeadLetterSummary[]> {
  return (await fixture.get("/control/dead-letters", { headers })).json() as never;
}

async function shown(fixture: Fixture, id = ""): Promise<DeadLetter> {
  return (await fixture.get(`/control/dead-letters/${id}`, { headers })).json() as never;
}

const replay = (fixture: Fixture) => fixture.post("/control/dead-letters/replay", {}, { headers });

/** A process whose source has that schema for its type. */
async function withSchema(schema: { file: string; text: string }, dataDir: string) {
  const calls: { n: unknown; replay: number }[] = [];
  const actor = recordingActor((event, context) => {
    calls.push({ n: event.payload.n, replay: context.replay });
  });
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent: actor } };
  const topology = topologyOf(parts, [route("r", "hook", "agent")], { bus: "file" });
  const [source] = topology.sources;
  const sources = [{ ...source, schemas: { "resource.changed": schema } }] as never;
  const fixture = await startFixture({ ...topology, sources }, parts, { dataDir });
  return { fixture, calls };
}

test("what does not fit is answered with 200, logged with its field, counted and kept", async () => {
  const { fixture, calls } = await withSchema(INTEGER, await temporaryDir());
  const answer = await fixture.post("/webhook/hook", { n: "one" });
  expect(answer.status).toBe(200);
  const { event_id, event_ids, invalid } = (await answer.json()) as Record<string, unknown>;
  expect([event_ids, invalid]).toEqual([[event_id], [event_id]]);
  const error = "payload.n must be integer (schemas/n.json)";
  const [letter] = await letters(fixture);
  expect(letter).toMatchObject({
    event_id,
    route: null,
    actor: null,
    reason: "invalid",
    attempts: 0,
    last_error: error,
  });
  expect((await shown(fixture, letter?.id)).event).toMatchObject({ payload: { n: "one" } });
  expect(fixture.status().dead_letters).toBe(1);
  const entry = fixture.entries.find(({ phase }) => phase === "deliver.dead_letter");
  expect(entry).toMatchObject({ event_id, source: "hook", result: "invalid", error });
  await fixture.post("/webhook/hook", { n: 2 });
  await eventually(() => expect(calls).toEqual([{ n: 2, replay: 0 }]));
});

test("a replay is checked again, under the schema of now", async () => {
  const dataDir = await temporaryDir();
  const first = await withSchema(INTEGER, dataDir);
  await first.fixture.post("/webhook/hook", { n: "one" });
  const [before] = await letters(first.fixture);
  await replay(first.fixture);
  await eventually(async () => {
    const [letter] = await letters(first.fixture);
    expect(Date.parse(letter?.last_at ?? "")).toBeGreaterThan(Date.parse(before?.last_at ?? ""));
    expect(letter).toMatchObject({ id: before?.id, first_at: before?.first_at });
  });
  expect(first.calls).toEqual([]);
  await first.fixture.drain();

  const loosened = schemaOf({ properties: { n: { type: ["integer", "string"] } } });
  const { fixture, calls } = await withSchema(loosened, dataDir);
  await replay(fixture);
  await eventually(() => expect(calls).toEqual([{ n: "one", replay: 1 }]));
  await eventually(async () => expect(await letters(fixture)).toEqual([]));
});
