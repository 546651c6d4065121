import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  topologyOf,
} from "./process-fixture.ts";

test("a webhook becomes an event, is routed and delivered, and the status tells", async () => {
  const agent = recordingActor();
  const parts = { sources: { "team/hook": jsonWebhook() }, actors: { agent } };
  const process = await startFixture(
    topologyOf(parts, [route("all", "team/hook", "agent")]),
    parts,
  );
  const answers = await Promise.all([
    process.post("/webhook/team/hook", { n: 1 }),
    process.post("/webhook/team%2Fhook", { n: 2 }),
  ]);
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    const body = (await answer.json()) as { event_id: string; event_ids: string[] };
    expect(body).toEqual({ ok: true, event_id: body.event_ids[0], event_ids: [body.event_id] });
  }
  await agent.until(2);
  expect(new Set(agent.got.map(({ payload }) => payload.n))).toEqual(new Set([1, 2]));
  expect(agent.got[0]).toMatchObject({ source: "team/hook", module: "acme" });
  const headers = { authorization: `Bearer ${TOKEN}` };
  const status = await (await process.get("/control/status", { headers })).json();
  expect(status).toMatchObject({
    workspace: "default",
    running: true,
    bus: "memory",
    sources: [{ id: "team/hook", events: 2, checkpoint: null }],
    routes: [{ name: "all", matched: 2, delivered: 2, failed: 0, circuit: "closed" }],
    actors: [{ id: "agent", queued: 0, queue_depth: 1_000, in_flight: 0 }],
    unacked: 0,
    dead_letters: 0,
  });
});
