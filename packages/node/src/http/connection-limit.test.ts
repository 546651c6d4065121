import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../process/process-fixture.ts";
import { startHttpServer } from "./http-server.ts";

const BOUNDS = { most: 20, reserve: 4 };

const UNENDED = "POST /webhook/hook HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";

/** A server that answers when its request's body has come, and `/webhook/hanging` never. */
async function serve() {
  let begun = 0;
  const ended = Promise.withResolvers<void>();
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    connections: BOUNDS,
    async fetch() {
      begun += 1;
      return new Response("fine");
    },
    async webhook(asked, { pathname }) {
      begun += 1;
      await text(asked);
      if (pathname.endsWith("/hanging")) await ended.promise;
      return { status: 200, headers: {}, body: {} };
    },
  });
  const { port } = server.address;
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    ended.resolve();
    for (const socket of sockets) socket.destroy();
    await server.close(0);
  });
  /** Opens connections that send so much and no more. */
  async function open(count: number, sent = ""): Promise<readonly Socket[]> {
    for (let n = 0; n < count; n += 1) {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      sockets.push(socket);
      await once(socket, "connect");
      if (sent !== "") socket.write(sent);
    }
    return sockets.slice(sockets.length - count);
  }
  /** Each request on a connection of its own. */
  async function ask(path: string, method = "GET") {
    const sent = request({ port, host: "127.0.0.1", path, method, agent: false });
    sent.end();
    const [answer] = await once(sent, "response");
    return { status: answer.statusCode, headers: answer.headers, body: await text(answer) };
  }
  const alive = () => sockets.filter(({ destroyed }) => !destroyed).length;
  const atWork = (count: number) => eventually(() => expect(begun).toBe(count));
  return { open, ask, alive, atWork };
}

test.each([
  ["that say nothing", ""],
  ["that never end their headers", "POST /webhook/hook HTTP/1.1\r\nhost: x\r\n"],
  ["that never end their body", UNENDED],
])("connections %s keep nobody out, however many they are", async (_, sent) => {
  const it = await serve();
  await it.open(20 * BOUNDS.most, sent);
  for (let n = 0; n < BOUNDS.most; n += 1) {
    expect(await it.ask("/healthz")).toMatchObject({ status: 200, body: "fine" });
    expect(await it.ask("/webhook/hook", "POST")).toMatchObject({ status: 200 });
  }
  await eventually(() => expect(it.alive()).toBeLessThanOrEqual(BOUNDS.most));
});

test("where every connection is at work, probes and the operator have places of their own", async () => {
  const it = await serve();
  await it.open(
    BOUNDS.most,
    "POST /webhook/hanging HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
  );
  await it.atWork(BOUNDS.most);
  for (const more of [0, BOUNDS.reserve, 3 * BOUNDS.reserve]) {
    await it.open(more);
    for (const path of ["/healthz", "/readyz", "/api/status", "/control/status"]) {
      expect(await it.ask(path)).toMatchObject({ status: 200 });
    }
    const turnedAway = await it.ask("/webhook/hook", "POST");
    expect(turnedAway).toMatchObject({ status: 503, headers: { "retry-after": "5" } });
  }
  expect(it.alive()).toBeGreaterThanOrEqual(BOUNDS.most);
});

test("a connection that has had its answer waits for the next request like any other", async () => {
  const it = await serve();
  await it.open(BOUNDS.most, "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n");
  expect(await it.ask("/webhook/hook", "POST")).toMatchObject({ status: 200 });
});

test("who has been sending longest is told to come again; what came whole is not touched", async () => {
  const it = await serve();
  const [slow] = await it.open(1, UNENDED);
  const said = text(slow as Socket);
  await it.atWork(1);
  await it.open(
    BOUNDS.most - 1,
    "POST /webhook/hanging HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}",
  );
  await it.atWork(BOUNDS.most);
  expect(await it.ask("/webhook/hook", "POST")).toMatchObject({ status: 200 });
  expect(await said).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nretry-after: 5\r\n/);
  await eventually(() => expect(it.alive()).toBe(BOUNDS.most - 1));
  await it.open(1, UNENDED);
  await it.atWork(BOUNDS.most + 2);
  expect(await it.ask("/healthz")).toMatchObject({ status: 200 });
  expect(it.alive()).toBeGreaterThanOrEqual(BOUNDS.most - 1);
});
