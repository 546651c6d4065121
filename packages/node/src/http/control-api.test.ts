import { request } from "node:http";
import { expect, test } from "vitest";
import {
  type Fixture,
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  TOKEN,
  topologyOf,
} from "../process/process-fixture.ts";

const authorized = { headers: { authorization: `Bearer ${TOKEN}` } };

async function controlled() {
  const agent = recordingActor();
  const parts = { sources: { hook: jsonWebhook() }, actors: { agent } };
  const process = await startFixture(topologyOf(parts, [route("all", "hook", "agent")]), parts);
  return { process, agent };
}

test("steering wants the token, whatever the method or the path", async () => {
  const { process } = await controlled();
  const wrong = ["", "Bearer", `Bearer ${TOKEN}x`, `Bearer ${TOKEN.slice(1)}`, `Basic ${TOKEN}`];
  for (const authorization of wrong) {
    const init = { headers: { authorization } };
    expect((await process.get("/control/status", init)).status).toBe(401);
    expect((await process.post("/control/inject", {}, init)).status).toBe(401);
    expect((await process.post("/control/shutdown", {}, init)).status).toBe(401);
    expect((await process.post("/anything/else", {}, init)).status).toBe(401);
  }
  expect((await process.get("/control/status", authorized)).status).toBe(200);
  expect((await process.post("/anything/else", {}, authorized)).status).toBe(404);
});

test("modules as v1alpha1 lists them", async () => {
  const { process } = await controlled();
  const list = await (await process.get("/control/module/list", authorized)).json();
  expect(list).toMatchObject({ modules: [{ name: "acme", state: "active", sources: 1 }] });
  expect((await process.get("/control/module/status/acme", authorized)).status).toBe(200);
  expect((await process.get("/control/module/status/other", authorized)).status).toBe(404);
});

test("a page under a name bound to 127.0.0.1 is refused, except where anyone may come", async () => {
  const { process } = await controlled();
  const as = (host: string, path: string, method = "GET") =>
    new Promise<number>((resolve, reject) => {
      const { port } = process.address;
      const sent = request(
        { host: "127.0.0.1", port, path, method, headers: { host } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      sent.on("error", reject);
      sent.end(method === "POST" ? "{}" : undefined);
    });
  for (const path of ["/api/status", "/api/events", "/metrics", "/control/status"]) {
    expect(await as("evil.example", path)).toBe(403);
    expect(await as("127.0.0.1.evil.example:4800", path)).toBe(403);
  }
  for (const host of ["localhost", "127.0.0.1:4800", "[::1]:4800", "LOCALHOST"]) {
    expect(await as(host, "/api/status")).toBe(200);
  }
  expect(await as("hooks.example", "/webhook/hook", "POST")).toBe(200);
  expect(await as("10.0.0.1", "/healthz")).toBe(200);
});

test("what a foreign page makes a browser send is refused everywhere but where anyone may come", async () => {
  const { process } = await controlled();
  for (const marks of [{ origin: "https://evil.example" }, { "sec-fetch-site": "cross-site" }]) {
    const as = async (method: string, path: string) =>
      (await process.get(path, { method, headers: { ...authorized.headers, ...marks } })).status;
    expect(await as("GET", "/api/status")).toBe(403);
    expect(await as("GET", "/metrics")).toBe(403);
    expect(await as("POST", "/control/inject")).toBe(403);
    expect(await as("POST", "/control/shutdown")).toBe(403);
    expect(await as("POST", "/control/module/load")).toBe(403);
    expect(await as("GET", "/healthz")).toBe(200);
  }
});

async function inject(process: Fixture, body: unknown) {
  const answer = await process.post("/control/inject", body, authorized);
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

test("inject takes one event, a list, and JSON Lines, and fills in what is missing", async () => {
  const { process, agent } = await controlled();
  const whole = {
    id: "evt_1",
    timestamp: "2026-01-02T03:04:05.000Z",
    source: "hook",
    type: "resource.changed",
    provenance: { platform: "github", author: "ada" },
    payload: { n: 1 },
    trace_id: "trc_1",
    ordering_key: "k",
  };
  expect(await inject(process, whole)).toEqual({
    status: 200,
    body: { ok: true, event_ids: ["evt_1"] },
  });
  await agent.until(1);
  expect(agent.got[0]).toEqual({ ...whole, module: "acme" });
  const some = { source: "hook", payload: { n: 2 } };
  expect((await inject(process, [some, some])).body.event_ids).toHaveLength(2);
  const lines = `${JSON.stringify(some)}\n\n${JSON.stringify(some)}\n`;
  expect((await inject(process, lines)).body.event_ids).toHaveLength(2);
  await agent.until(5);
  expect(agent.got[4]).toMatchObject({
    id: expect.stringMatching(/^evt_[0-9a-f]{16}$/),
    trace_id: expect.stringMatching(/^trc_[0-9a-f]{16}$/),
    type: "resource.changed",
  });
});

test("inject says which event is wrong, and takes none of them", async () => {
  const { process, agent } = await controlled();
  const good = { source: "hook", payload: {} };
  for (const bad of [
    "not json",
    "[]",
    "",
    [good, 7],
    [good, { payload: {} }],
    [good, { ...good, id: "x" }],
    [good, { ...good, type: "unheard.of" }],
    [good, { ...good, timestamp: "yesterday" }],
    [good, { ...good, payload: [] }],
  ]) {
    const { status, body } = await inject(process, bad);
    expect([bad, status]).toEqual([bad, 400]);
    expect(body.error).toMatch(/event 2|line 1|no event/);
  }
  expect(agent.got).toEqual([]);
});

test("shutdown answers, then drains", async () => {
  const { process } = await controlled();
  const answer = await process.post("/control/shutdown", {}, authorized);
  expect(await answer.json()).toEqual({ ok: true });
  expect(await process.closed).toBeUndefined();
  await expect(process.get("/healthz")).rejects.toThrow();
});

test("what is not UTF-8 is refused: other characters would stand in the place of its own", async () => {
  const { process } = await controlled();
  const latin1 = Buffer.from('{"source":"hook","payload":{"name":"Jürgen"}}', "latin1");
  const init = { method: "POST", body: latin1, ...authorized };
  const answer = await process.get("/control/inject", init);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: expect.stringContaining("not UTF-8") });
});
