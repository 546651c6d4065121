import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/**
 * What a {@link FaultProxy} does with its connections, those already open included. Bytes are of
 * the answer, since the switch.
 */
export type Fault =
  | { readonly kind: "pass" }
  /** Nobody listens; what is open is reset. */
  | { readonly kind: "refuse" }
  /** RST after so many bytes; 0: at once, before anything reaches the target. */
  | { readonly kind: "reset"; readonly afterBytes: number }
  /** The end (FIN) after so many bytes: a body cut in the middle. */
  | { readonly kind: "cut"; readonly afterBytes: number }
  /** Accepts, swallows, never answers; such a connection stays so. */
  | { readonly kind: "half_open" }
  /** Each piece of the answer comes so much later. */
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "throttle"; readonly bytesPerSecond: number };

export interface FaultProxyOptions {
  readonly target: { readonly host?: string; readonly port: number };
}

/** A TCP proxy whose network can be broken and mended. */
export interface FaultProxy {
  /** On 127.0.0.1; the same over all faults. */
  readonly port: number;
  /** Connections accepted so far. */
  readonly connections: number;
  /**
   * Resolves when the fault is in force. Rejects where the port was taken by another while nobody
   * listened.
   */
  set(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

const THROTTLE_TICK_MS = 20;

interface Connection {
  readonly client: Socket;
  readonly upstream: Socket;
  /** Bytes of the answer since the last switch. */
  answered: number;
  swallowed: boolean;
}

/** Listens on 127.0.0.1, a free port, and passes everything on to `target` until told otherwise. */
export async function faultProxy({ target }: FaultProxyOptions): Promise<FaultProxy> {
  let fault: Fault = { kind: "pass" };
  let accepted = 0;
  const open = new Set<Connection>();
  const server = createServer({ allowHalfOpen: true }, accept);
  await listen(server, 0);
  const { port } = server.address() as AddressInfo;

  function accept(client: Socket): void {
    accepted += 1;
    const upstream = connect({ host: target.host ?? "127.0.0.1", port: target.port });
    const connection = { client, upstream, answered: 0, swallowed: false };
    open.add(connection);
    // A side that breaks takes the other with it, as in one connection.
    for (const [side, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      side.setNoDelay(true);
      side.on("error", () => other.resetAndDestroy());
    }
    client.once("close", () => open.delete(connection));
    apply(fault, connection);
    void carry(connection, client, upstream, (chunk) => send(upstream, chunk));
    void carry(connection, upstream, client, (chunk) => answer(fault, connection, chunk));
  }

  return {
    port,
    get connections() {
      return accepted;
    },
    async set(next) {
      const wasListening = server.listening;
      fault = next;
      if (next.kind === "refuse" && wasListening) server.close();
      for (const connection of open) apply(fault, connection);
      if (next.kind !== "refuse" && !wasListening) await listen(server, port);
    },
    async close() {
      const { listening } = server;
      if (listening) server.close();
      for (const { client, upstream } of open) {
        client.destroy();
        upstream.destroy();
      }
      if (listening) await once(server, "close");
    },
  };
}

/** What a fault does to a connection by itself, without any traffic. */
function apply(fault: Fault, connection: Connection): void {
  connection.answered = 0;
  if (fault.kind === "refuse" || (fault.kind === "reset" && fault.afterBytes === 0)) {
    reset(connection);
  }
  if (fault.kind === "half_open") connection.swallowed = true;
}

async function answer(fault: Fault, connection: Connection, chunk: Buffer): Promise<void> {
  const { client } = connection;
  switch (fault.kind) {
    case "delay":
      await wait(fault.ms, undefined, { ref: false });
      return send(client, chunk);
    case "throttle":
      return trickle(client, chunk, fault.bytesPerSecond);
    case "reset":
    case "cut": {
      const { kind, afterBytes } = fault;
      const allowed = Math.max(0, afterBytes - connection.answered);
      connection.answered += chunk.length;
      if (chunk.length < allowed) return send(client, chunk);
      await send(client, chunk.subarray(0, allowed));
      if (kind === "reset") return reset(connection);
      client.end();
      connection.upstream.destroy();
      return;
    }
    default:
      return send(client, chunk);
  }
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

/** Both sides of `carry` end here: what cannot be carried any more is the fault at work. */
async function carry(
  connection: Connection,
  from: Socket,
  to: Socket,
  pass: (chunk: Buffer) => Promise<void>,
): Promise<void> {
  try {
    for await (const chunk of from) if (!connection.swallowed) await pass(chunk);
    if (!connection.swallowed) to.end();
  } catch {
    to.destroy();
  }
}

function reset({ client, upstream }: Connection): void {
  client.resetAndDestroy();
  upstream.resetAndDestroy();
}

/** Resolves when the system has taken it, or when the socket is gone. */
function send(socket: Socket, chunk: Buffer): Promise<void> {
  if (socket.destroyed || chunk.length === 0) return Promise.resolve();
  return new Promise((resolve) => {
    socket.write(chunk, () => resolve());
  });
}

async function trickle(socket: Socket, chunk: Buffer, bytesPerSecond: number): Promise<void> {
  const step = Math.max(1, Math.round((bytesPerSecond * THROTTLE_TICK_MS) / 1_000));
  for (let at = 0; at < chunk.length && !socket.destroyed; at += step) {
    await wait(THROTTLE_TICK_MS, undefined, { ref: false });
    await send(socket, chunk.subarray(at, at + step));
  }
}
