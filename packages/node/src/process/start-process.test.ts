import type { DeliveryContext, OrgLoopEvent, RouteSpec, Topology } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { isDataDirLocked } from "../data/data-dir-locked.ts";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  temporaryDir,
  topologyOf,
} from "./process-fixture.ts";

test("the actor gets the transformed event, its route's config filled in, and the prompt as it was loaded", async () => {
  const contexts: DeliveryContext[] = [];
  const agent = recordingActor((_, context) => void contexts.push(context));
  const parts = {
    sources: { hook: jsonWebhook() },
    actors: { agent },
    transforms: {
      mark: {
        execute: async (event: OrgLoopEvent) => ({
          ...event,
          payload: { ...event.payload, marked: true },
        }),
      },
      drop: { execute: async () => null },
    },
  };
  const prompt = { file: "sops/review.md", text: "Review it.", meta: { model: "m" } };
  const kept: RouteSpec = {
    ...route("kept", "hook", "agent"),
    transforms: [{ ref: "mark" }],
    then: { actor: "agent", config: { title: "PR {{payload.n}}", token: "x" } },
    with: { prompt_file: "review.md", prompt },
  };
  const dropped = { ...route("dropped", "hook", "agent"), transforms: [{ ref: "drop" }] };
  const process = await startFixture(topologyOf(parts, [dropped, kept]), parts, {
    projectDir: "/project",
  });
  await process.post("/webhook/hook", { n: 7 });
  await agent.until(1);
  expect(agent.got[0]?.payload).toEqual({ n: 7, marked: true });
  expect(contexts).toEqual([
    {
      route: "kept",
      config: { title: "PR 7", token: "x" },
      prompt: { ...prompt, file: "/project/sops/review.md" },
      attempt: 1,
      replay: 0,
      deliveryId: expect.stringMatching(/^evt_\w+\.[0-9a-f]{8}$/),
      signal: expect.any(AbortSignal),
      onMissing: expect.any(Function),
    },
  ]);
  await expect.poll(() => process.status().unacked).toBe(0);
});

test("what this process cannot run is refused before anything is opened for good", async () => {
  const dataDir = await temporaryDir();
  const parts = { actors: { agent: recordingActor() } };
  const start = (topology: Topology) =>
    startFixture(topology, parts, { dataDir }).catch((error) => error);
  expect(await start(topologyOf(parts, [], { bus: "nats://user:pass@host:4222" }))).toMatchObject({
    code: "BUS_UNSUPPORTED",
    message: expect.not.stringContaining("pass"),
  });
  expect(await start(topologyOf(parts, [], { bus: "sqs" }))).toMatchObject({
    code: "BUS_UNSUPPORTED",
    message: expect.stringContaining("sst deploy --stage"),
  });
  expect(await start(topologyOf(parts, [route("r", "hook", "nobody")]))).toMatchObject({
    code: "INVALID_ROUTE",
  });
  const rated = route("r", "hook", "agent", { max_rate: "many" });
  expect(await start(topologyOf(parts, [rated]))).toMatchObject({
    code: "INVALID_ROUTE",
    message: expect.stringContaining('route "r"'),
  });
  expect(await isDataDirLocked(dataDir)).toBe(false);
});

test("an actor that hangs does not hold up another, nor another key of its own", async () => {
  const slow = recordingActor(({ payload }) =>
    payload.key === "stuck" ? new Promise(() => {}) : undefined,
  );
  const quick = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { slow, quick } };
  const routes = [route("to-slow", "hook", "slow"), route("to-quick", "hook", "quick")];
  const process = await startFixture(topologyOf(parts, routes), parts);
  for (const [n, key] of ["stuck", "free", "stuck", "free", "free"].entries()) {
    await process.post("/webhook/hook", { n, key });
  }
  await Promise.all([quick.until(5), slow.until(3)]);
  expect(quick.got.map(({ payload }) => payload.n)).toEqual([0, 1, 2, 3, 4]);
  expect(slow.got.map(({ payload }) => payload.n)).toEqual([1, 3, 4]);
  await expect
    .poll(() => process.status())
    .toMatchObject({
      unacked: 2,
      actors: [
        { id: "slow", queued: 1, in_flight: 1 },
        { id: "quick", queued: 0 },
      ],
    });
});

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
    routes: [
      {
        name: "all",
        matched: 2,
        delivered: 2,
        failed: 0,
        circuit: "closed",
        dropped: 0,
        breaker: null,
      },
    ],
    actors: [{ id: "agent", queued: 0, queue_depth: 1_000, in_flight: 0 }],
    unacked: 0,
    dead_letters: 0,
  });
});
