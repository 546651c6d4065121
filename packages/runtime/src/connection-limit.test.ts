import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { startHttpServer } from "./http-server.ts";
import { eventually } from "./process-fixture.ts";

const BOUNDS = { most: 20, reserve: 4 };

/** A server that answers when its request's body has come. */
async function serve() {
  let begun = 0;
  const server = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    connections: BOUNDS,
    async fetch(asked) {
      begun += 1;
      await asked.text();
      return new Response("fine");
    },
  });
  const { port } = server.address;
  const sockets: Socket[] = [];
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await server.close(0);
  });
  /** Opens connections that send so much and no more. */
  async function open(count: number, sent = ""): Promise<void> {
    for (let n = 0; n < count; n += 1) {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined);
      sockets.push(socket);
      await once(socket, "connect");
      if (sent !== "") socket.write(sent);
    }
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
])("connections %s keep nobody out, however many they are", async (_, sent) => {
  const it = await serve();
  await it.open(4 * BOUNDS.most, sent);
  for (let n = 0; n < BOUNDS.most; n += 1) {
    expect(await it.ask("/healthz")).toMatchObject({ status: 200, body: "fine" });
    expect(await it.ask("/webhook/hook", "POST")).toMatchObject({ status: 200 });
  }
  await eventually(() => expect(it.alive()).toBeLessThanOrEqual(BOUNDS.most));
});

test("where every connection is at work, probes and the operator have places of their own", async () => {
  const it = await serve();
  const unended = "POST /webhook/hook HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{";
  await it.open(BOUNDS.most, unended);
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
