import { once } from "node:events";
import { createServer, get, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type FaultProxy, faultProxy } from "./fault-proxy.ts";

const ANSWER = "x".repeat(20_000);
let target: Server;
let requests = 0;
let proxy: FaultProxy;

beforeEach(async () => {
  requests = 0;
  target = createServer((_request, response) => {
    requests += 1;
    response.end(ANSWER);
  });
  target.listen(0, "127.0.0.1");
  await once(target, "listening");
  proxy = await faultProxy({ target: { port: (target.address() as AddressInfo).port } });
});

afterEach(async () => {
  await proxy.close();
  target.closeAllConnections();
  target.close();
});

/** The whole answer by a connection of its own. Rejects with the error's code. */
function ask(): Promise<string> {
  return new Promise((resolve, reject) => {
    const fail = ({ code }: NodeJS.ErrnoException) => reject(new Error(code));
    get({ port: proxy.port, host: "127.0.0.1", agent: false }, (response) => {
      text(response).then(resolve, fail);
    }).on("error", fail);
  });
}

test("passes, and counts connections", async () => {
  expect(await ask()).toBe(ANSWER);
  expect(await ask()).toBe(ANSWER);
  expect(proxy.connections).toBe(2);
});

test("refuses, and listens again on the same port", async () => {
  const { port } = proxy;
  await proxy.set({ kind: "refuse" });
  await expect(ask()).rejects.toThrow("ECONNREFUSED");
  await proxy.set({ kind: "refuse" });
  await proxy.set({ kind: "pass" });
  expect(await ask()).toBe(ANSWER);
  expect(proxy.port).toBe(port);
  expect(proxy.connections).toBe(1);
});

test("resets at once: the target gets nothing; after some bytes: it had answered", async () => {
  await proxy.set({ kind: "reset", afterBytes: 0 });
  await expect(ask()).rejects.toThrow("ECONNRESET");
  expect(requests).toBe(0);
  await proxy.set({ kind: "reset", afterBytes: 1_000 });
  await expect(ask()).rejects.toThrow("ECONNRESET");
  expect(requests).toBe(1);
});

test("cuts the answer after exactly so many bytes, without an error of the connection", async () => {
  await proxy.set({ kind: "cut", afterBytes: 1_000 });
  const socket = connect(proxy.port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  expect(await text(socket)).toHaveLength(1_000);
});

test("half-open: accepts and stays silent, also when it passes again; new connections work", async () => {
  await proxy.set({ kind: "half_open" });
  let answers = 0;
  const request = get({ port: proxy.port, host: "127.0.0.1", agent: false }, () => {
    answers += 1;
  });
  const failed = once(request, "error");
  const [socket] = await once(request, "socket");
  await once(socket, "connect");
  await proxy.set({ kind: "pass" });
  expect(await ask()).toBe(ANSWER);
  expect(requests).toBe(1);
  expect(answers).toBe(0);
  request.destroy(new Error("enough"));
  await failed;
});

test("a fault also meets connections that are open: those of a pool", async () => {
  const socket = connect(proxy.port, "127.0.0.1");
  const lost = new Promise<NodeJS.ErrnoException>((resolve) => socket.once("error", resolve));
  socket.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  await once(socket, "data");
  await proxy.set({ kind: "reset", afterBytes: 0 });
  expect((await lost).code).toBe("ECONNRESET");
});

test("delays and throttles: later and slower, but whole", async () => {
  let startedMs = performance.now();
  await proxy.set({ kind: "delay", ms: 50 });
  expect(await ask()).toBe(ANSWER);
  expect(performance.now() - startedMs).toBeGreaterThan(45);
  startedMs = performance.now();
  await proxy.set({ kind: "throttle", bytesPerSecond: 100_000 });
  expect(await ask()).toBe(ANSWER);
  expect(performance.now() - startedMs).toBeGreaterThan(150);
});

test("closes whatever its state, open connections included", async () => {
  const socket = connect(proxy.port, "127.0.0.1");
  await once(socket, "connect");
  const closed = once(socket, "close");
  socket.resume();
  await proxy.close();
  await closed;
  await proxy.close();
});
