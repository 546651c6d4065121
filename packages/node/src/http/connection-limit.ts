import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** How many connections a server holds at a time. */
export interface ConnectionBounds {
  /** All in all, but for those in reserve. */
  readonly most: number;
  /** Of this machine, beyond `most`: for probes and the operator, never for webhooks. */
  readonly reserve: number;
}

export interface ConnectionLimit {
  /** Whether a connection is one of those in reserve. */
  isInReserve(socket: Socket): boolean;
}

const LOOPBACK = /^(::ffff:)?127\.|^::1$/;

/**
 * Keeps a server's connections within bounds. A new one beyond them takes the place of the one that
 * has waited longest without a request of its own, else of the one whose request has been arriving
 * longest (it hears 503): neither silent connections nor slow senders keep others out. Where all
 * are at work, a connection from this machine gets a place in reserve and any other is closed.
 */
export function limitConnections(
  server: Server,
  { most, reserve }: ConnectionBounds,
): ConnectionLimit {
  const ordinary = places(most);
  const reserved = places(reserve);
  // Who comes beyond this is dropped before there is anything to decide.
  server.maxConnections = most + reserve + 1;

  server.on("connection", (socket) => {
    const among = [ordinary, ...(isFromHere(socket) ? [reserved] : [])].find((one) =>
      one.hasRoom(),
    );
    if (among === undefined) {
      socket.destroy();
      return;
    }
    among.enter(socket);
    socket.once("close", () => among.leave(socket));
  });
  server.on("request", (request: IncomingMessage, response: ServerResponse) => {
    const { socket } = request;
    const among = reserved.has(socket) ? reserved : ordinary;
    among.begin(socket, { request, response });
    response.once("close", () => among.end(socket));
  });
  return { isInReserve: (socket) => reserved.has(socket) };
}

const isFromHere = ({ remoteAddress = "" }: Socket): boolean => LOOPBACK.test(remoteAddress);

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

const TURNED_AWAY =
  "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";

function turnAway(socket: Socket, { response }: Exchange): void {
  if (response.headersSent) socket.destroy();
  else {
    socket.write(TURNED_AWAY);
    socket.destroySoon();
  }
}

/**
 * The first whose request has not come whole; those before it are at work, and are forgotten here.
 */
function longestArriving(arriving: Map<Socket, Exchange>): [Socket, Exchange] | undefined {
  for (const [socket, exchange] of arriving) {
    if (!exchange.request.complete) return [socket, exchange];
    arriving.delete(socket);
  }
  return undefined;
}

/** Places for so many connections. */
function places(most: number) {
  /** With how many requests each has under way. */
  const requests = new Map<Socket, number>();
  /** Those without any, the longest first. */
  const silent = new Set<Socket>();
  /** Those whose request may have more to come, the longest first. */
  const arriving = new Map<Socket, Exchange>();

  function leave(socket: Socket): void {
    requests.delete(socket);
    silent.delete(socket);
    arriving.delete(socket);
  }

  function makeRoom(): void {
    const [longest] = silent;
    if (longest !== undefined) {
      leave(longest);
      longest.destroy();
      return;
    }
    const [slowest, exchange] = longestArriving(arriving) ?? [];
    if (slowest === undefined || exchange === undefined) return;
    leave(slowest);
    turnAway(slowest, exchange);
  }

  function count(socket: Socket, change: 1 | -1): void {
    const before = requests.get(socket);
    if (before === undefined) return;
    requests.set(socket, before + change);
    if (before + change > 0) silent.delete(socket);
    else silent.add(socket);
  }

  return {
    has: (socket: Socket) => requests.has(socket),
    /** Makes some where one of them is silent, or slow to send. */
    hasRoom(): boolean {
      if (requests.size >= most) makeRoom();
      return requests.size < most;
    },
    enter(socket: Socket): void {
      requests.set(socket, 0);
      silent.add(socket);
    },
    begin(socket: Socket, exchange: Exchange): void {
      if (!requests.has(socket)) return;
      count(socket, 1);
      arriving.set(socket, exchange);
    },
    end(socket: Socket): void {
      count(socket, -1);
      if (requests.get(socket) === 0) arriving.delete(socket);
    },
    leave,
  };
}
