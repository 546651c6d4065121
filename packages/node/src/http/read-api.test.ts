import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  topologyOf,
} from "../process/process-fixture.ts";

async function readable() {
  const agent = recordingActor(({ payload }) => {
    if (payload.n === "bad") throw new Error("no");
  });
  const polled = { async *poll() {} };
  const parts = {
    sources: { hook: jsonWebhook(), other: jsonWebhook(), polled },
    actors: { agent },
  };
  const routes = [
    {
      ...route("a", "hook", "agent", {
        retry: {
          max_attempts: 1,
          backoff: "fixed",
          initial_delay: "1ms",
          max_delay: "1ms",
          jitter: "none",
        },
      }),
      with: { prompt_file: "x.md", prompt: { file: "sops/x.md", text: "Do it.", meta: null } },
    },
    route("b", "other", "agent"),
  ];
  const process = await startFixture(topologyOf(parts, routes), parts);
  for (const n of [1, 2, 3]) await process.post("/webhook/hook", { n });
  await process.post("/webhook/other", { n: 4 });
  await agent.until(4);
  await process.post("/webhook/hook", { n: "bad" });
  await process.entry("deliver.dead_letter");
  // biome-ignore lint/suspicious/noExplicitAny: its form is what the tests are about
  const json = async (path: string): Promise<any> => (await process.get(path)).json();
  return { process, json };
}

test("OrgLoop's read endpoints", async () => {
  const { process, json } = await readable();
  expect(await json("/api/routes")).toEqual([
    {
      name: "a",
      module: "acme",
      when: { source: ["hook"], events: ["resource.changed"] },
      actor: "agent",
      sop_file: "sops/x.md",
      fire_count: 4,
      last_fired: expect.any(String),
    },
    {
      name: "b",
      module: "acme",
      when: { source: ["other"], events: ["resource.changed"] },
      actor: "agent",
      fire_count: 1,
      last_fired: expect.any(String),
    },
  ]);
  expect(await json("/api/sources")).toMatchObject([
    { id: "hook", module: "acme", type: "webhook", status: "healthy", event_count: 4 },
    { id: "other", event_count: 1, last_event: expect.any(String) },
    { id: "polled", type: "polling", poll_interval: "5m" },
  ]);
  expect(await json("/api/status")).toMatchObject({
    health: "ok",
    running: true,
    pid: globalThis.process.pid,
    http_port: process.address.port,
    modules: [{ name: "acme", sources: 3, routes: 2, actors: 1 }],
    routes: [
      { name: "a", delivered: 3, failed: 1 },
      { name: "b", delivered: 1 },
    ],
    dead_letters: 1,
  });
  expect(await json("/api/doctor")).toMatchObject({ project: "acme", status: "ok" });
  expect(await json("/healthz")).toEqual({ ok: true });
  expect(await json("/readyz")).toEqual({ ok: true });
});

test("the last events, by source, route, time and number", async () => {
  const { json } = await readable();
  const all = await json("/api/events");
  expect(all).toHaveLength(5);
  expect(all[0]).toMatchObject({
    source: "hook",
    matched_routes: ["a"],
    sop_files: ["sops/x.md"],
    actors: ["agent"],
    module: "acme",
  });
  expect(await json("/api/events?source=other")).toEqual([all[3]]);
  expect(await json("/api/events?route=a&limit=2")).toEqual([all[2], all[4]]);
  expect(await json(`/api/events?from=${all[0].timestamp}`)).toEqual(all);
  expect(await json("/api/events?to=2020-01-01T00:00:00Z")).toEqual([]);
  expect(await json("/api/events?limit=-1")).toHaveProperty("error");
});

test("metrics under v1alpha1's names, none with an event's id", async () => {
  const { process } = await readable();
  for (const path of ["/metrics", "/api/metrics"]) {
    const answer = await process.get(path);
    expect(answer.headers.get("content-type")).toContain("text/plain");
    const text = await answer.text();
    for (const line of [
      'orgloop_events_routed_total{route="a",connector="test/actor/agent"} 3',
      'orgloop_connector_errors_total{connector="test/actor/agent"} 1',
      'orgloop_event_processing_seconds_count{route="b"} 1',
      'orgloop_events_received_total{source="hook"} 4',
      'orgloop_dead_letters_total{reason="exhausted"} 1',
      "orgloop_connected_sources 3",
      'orgloop_actor_queued{actor="agent"} 0',
    ]) {
      expect(text).toContain(`${line}\n`);
    }
    expect(text).toMatch(/orgloop_uptime_seconds \d/);
    expect(text).not.toContain("evt_");
  }
});

test("unknown paths, other methods", async () => {
  const { process } = await readable();
  for (const path of ["/", "/api/unknown", "/webhooks"]) {
    const answer = await process.get(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toHaveProperty("error");
  }
  const answer = await process.post("/api/status", {});
  expect([answer.status, answer.headers.get("allow")]).toEqual([405, "GET"]);
});
