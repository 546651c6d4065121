import { lookup } from "node:dns";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { MAX_SOCKETS, type RequestSender, requestSender, socketCounts } from "./send-request.ts";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/**
 * A server that answers what `answer` writes: `request` counts from 1 on each of its connections,
 * which count from 1.
 */
async function tcpServer(answer: (socket: Socket, request: number, connection: number) => void) {
  let connections = 0;
  const sockets: Socket[] = [];
  const server = createTcpServer((socket) => {
    connections += 1;
    sockets.push(socket);
    const connection = connections;
    let requests = 0;
    socket.on("error", () => undefined);
    socket.on("data", () => {
      requests += 1;
      answer(socket, requests, connection);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return { url, connections: () => connections };
}

function sender(): RequestSender {
  const made = requestSender(lookup);
  onTestFinished(() => made.close());
  return made;
}

const request = (url: string) => ({
  url,
  method: "POST",
  headers: {},
  body: "{}",
  signal: new AbortController().signal,
});

test.each<[string, (socket: Socket) => void]>([
  ["resets", (socket) => socket.resetAndDestroy()],
  ["ends", (socket) => socket.end()],
  ["destroys", (socket) => socket.destroy()],
])(
  "what comes on a kept connection that the server %s at that moment is sent again at once",
  async (_, close) => {
    const server = await tcpServer((socket, number, connection) => {
      if (connection === 1 && number === 2) close(socket);
      else socket.write(OK);
    });
    const { send } = sender();
    for (let n = 0; n < 4; n++)
      expect(await send(request(server.url))).toMatchObject({ status: 200 });
    expect(server.connections()).toBe(2);
  },
);

test("several kept connections that are all closed count as one: the second try opens a new one", async () => {
  let down = true;
  const server = await tcpServer((socket, number) => {
    if (number === 1 || !down) setTimeout(() => socket.write(OK), 20);
    else socket.resetAndDestroy();
  });
  const { send } = sender();
  await Promise.all(Array.from({ length: 5 }, () => send(request(server.url))));
  expect(await send(request(server.url))).toMatchObject({ status: 200 });
  down = false;
});

test("a connection that breaks off behind the first byte of an answer is a failure, as a new one is that is closed", async () => {
  const broken = await tcpServer((socket, number) => {
    if (number === 1) socket.write(OK);
    else socket.write("HTTP/1.1 2", () => socket.resetAndDestroy());
  });
  const { send } = sender();
  await send(request(broken.url));
  await expect(send(request(broken.url))).rejects.toMatchObject({ code: "UNREACHABLE" });
  expect(broken.connections()).toBe(1);

  const refusing = await tcpServer((socket) => socket.resetAndDestroy());
  await expect(send(request(refusing.url))).rejects.toMatchObject({ code: "UNREACHABLE" });
  expect(refusing.connections()).toBe(1);
});

test("idle connections of other actors make room for a new one", async () => {
  const server = createServer((_, response) => response.end()).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const senders = Array.from({ length: 21 }, sender);
  const burst = MAX_SOCKETS / 20;
  for (const { send } of senders) {
    await Promise.all(Array.from({ length: burst }, () => send(request(url))));
    expect(socketCounts().open).toBeLessThanOrEqual(MAX_SOCKETS + burst);
  }
  await expect.poll(() => socketCounts().open).toBeLessThanOrEqual(MAX_SOCKETS);
});
