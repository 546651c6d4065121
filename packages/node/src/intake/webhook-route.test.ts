import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import {
  jsonWebhook,
  recordingActor,
  route,
  startFixture,
  topologyOf,
} from "../process/process-fixture.ts";

const BODY_LIMIT = 1_000;

async function webhookProcess() {
  const agent = recordingActor();
  const broken = {
    async receive() {
      throw new TypeError("cannot read properties of undefined");
    },
  };
  const polled = { async *poll() {} };
  const parts = { sources: { hook: jsonWebhook(), broken, polled }, actors: { agent } };
  const topology = topologyOf(parts, [route("all", "hook", "agent")]);
  const process = await startFixture(topology, parts, { bodyLimit: BODY_LIMIT });
  return { process, agent };
}

test("what cannot be taken is refused with its reason, counted, and logged without its body", async () => {
  const { process } = await webhookProcess();
  const secret = "s3cret-in-the-body";
  const refused: [number, Response][] = [
    [404, await process.post("/webhook/unknown", {})],
    [404, await process.post("/webhook/polled", {})],
    [404, await process.post("/webhook/%E0%A4%A", {})],
    [405, await process.get("/webhook/hook")],
    [400, await process.post("/webhook/hook", `{"a": ${secret}`)],
    [413, await process.post("/webhook/hook", "x".repeat(BODY_LIMIT + 1))],
    [500, await process.post("/webhook/broken", {})],
  ];
  for (const [status, answer] of refused) {
    expect(answer.status).toBe(status);
    expect(answer.headers.get("allow")).toBe(status === 405 ? "POST" : null);
    expect(await answer.json()).toEqual({ error: expect.any(String) });
  }
  const logged = process.entries.filter(({ phase }) => phase === "source.refused");
  expect(logged.map(({ metadata }) => metadata?.status)).toEqual(refused.map(([status]) => status));
  expect(JSON.stringify(process.entries)).not.toContain(secret);
  const { sources } = await process.status();
  expect(sources.find(({ id }) => id === "hook")).toMatchObject({ events: 0, refused: 3 });
  await process.drain();
  const file = await readFile(join(process.dataDir, "log", "events.jsonl"), "utf8");
  expect(file.match(/"phase":"source.refused"/g)).toHaveLength(refused.length);
});

test("a body of unknown length is cut off at the limit", async () => {
  const { process, agent } = await webhookProcess();
  const endless = new ReadableStream({
    pull(controller) {
      controller.enqueue(new TextEncoder().encode("x".repeat(500)));
    },
  });
  const answer = await process
    .post("/webhook/hook", "", { body: endless, duplex: "half" } as RequestInit)
    .catch((error) => error);
  // Whichever the sender sees first: the answer, or the end of the connection.
  if (answer instanceof Response) expect(answer.status).toBe(413);
  expect(process.entries.at(-1)).toMatchObject({ metadata: { status: 413 } });
  const fits = JSON.stringify({ text: "é".repeat(400) });
  expect((await process.post("/webhook/hook", fits)).status).toBe(200);
  await agent.until(1);
});

test("a gzip body is unpacked within the limit; other encodings are refused", async () => {
  const { process, agent } = await webhookProcess();
  const send = (body: Uint8Array<ArrayBuffer>, encoding: string) =>
    process.post("/webhook/hook", "", { body, headers: { "content-encoding": encoding } });
  const json = '{"id":12345678901234567890}';
  const packed = new Uint8Array(gzipSync(json));
  for (const name of ["gzip", "x-gzip", "GZIP"]) {
    expect((await send(packed, name)).status).toBe(200);
  }
  expect((await send(new TextEncoder().encode(json), "identity")).status).toBe(200);
  await agent.until(4);
  expect(agent.got.map(({ payload }) => JSON.stringify(payload))).toEqual(Array(4).fill(json));

  const bomb = new Uint8Array(gzipSync(JSON.stringify({ text: "x".repeat(BODY_LIMIT) })));
  expect(bomb.byteLength).toBeLessThan(BODY_LIMIT);
  expect((await send(bomb, "gzip")).status).toBe(413);
  expect((await send(packed.slice(0, -4), "gzip")).status).toBe(400);
  expect((await send(new TextEncoder().encode(json), "gzip")).status).toBe(400);
  for (const name of ["br", "deflate", "zstd", "gzip, gzip", "utf-8"]) {
    const answer = await send(packed, name);
    expect([answer.status, answer.headers.get("accept-encoding")]).toEqual([415, "gzip"]);
  }
});

test("where an actor does not keep up, its source's webhooks get 503, other sources go on", async () => {
  const gate = Promise.withResolvers<void>();
  const slow = recordingActor(() => gate.promise);
  const quick = recordingActor();
  const parts = {
    sources: { busy: jsonWebhook(), calm: jsonWebhook() },
    actors: { slow, quick },
  };
  const routes = [route("to-slow", "busy", "slow"), route("to-quick", "calm", "quick")];
  const process = await startFixture(topologyOf(parts, routes, { queueDepth: 1 }), parts, {
    backlogBounds: { perSource: 4, total: 100 },
    roomWaitMs: 20,
  });
  for (let n = 0; n < 4; n += 1) {
    expect((await process.post("/webhook/busy", { n })).status).toBe(200);
  }
  const turnedAway = await process.post("/webhook/busy", { n: 4 });
  expect(turnedAway.status).toBe(503);
  expect(Number(turnedAway.headers.get("retry-after"))).toBeGreaterThan(0);
  expect((await process.post("/webhook/calm", { n: 0 })).status).toBe(200);
  await quick.until(1);
  gate.resolve();
  await slow.until(4);
  expect((await process.post("/webhook/busy", { n: 5 })).status).toBe(200);
  await slow.until(5);
  expect(slow.got.map(({ payload }) => payload.n)).toEqual([0, 1, 2, 3, 5]);
});

test("a source without a secret takes nothing that a foreign page makes a browser send", async () => {
  const agent = recordingActor();
  const sources = { hook: jsonWebhook(), guarded: jsonWebhook(), open: jsonWebhook() };
  const parts = { sources, actors: { agent } };
  const plain = topologyOf(parts, [route("all", "hook", "agent")], {
    configs: { guarded: { secret: "0123456789abcdef" } },
  });
  const topology = {
    ...plain,
    sources: plain.sources.map((one) => (one.id === "open" ? { ...one, public: true } : one)),
  };
  const process = await startFixture(topology, parts);
  const from = (source: string, headers: Record<string, string>) =>
    process.post(`/webhook/${source}`, "{}", { headers: { ...headers, host: "x.tunnel.test" } });
  const evil = { origin: "https://evil.example", "content-type": "text/plain" };
  const marked = { "sec-fetch-site": "cross-site" };
  for (const headers of [evil, marked, { ...evil, ...marked }]) {
    const answer = await from("hook", headers);
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({ error: expect.stringContaining("public: true") });
    expect((await from("guarded", headers)).status).toBe(200);
    expect((await from("open", headers)).status).toBe(200);
  }
  expect((await from("hook", { "content-type": "text/plain" })).status).toBe(200);
  expect((await from("hook", { origin: "http://localhost:3000" })).status).toBe(200);
  await agent.until(2);
  const { sources: counted } = await process.status();
  expect(counted.find(({ id }) => id === "hook")).toMatchObject({ events: 2, refused: 3 });
});
