import type { Server, ServerResponse } from "node:http";
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
 * Keeps a server's connections within bounds. A new one beyond them takes the place of the one that has waited longest without a
 * request of its own: silent connections keep nobody out. Where all are at work, a connection from this machine gets a place in reserve
 * and any other is closed.
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
  server.on("request", ({ socket }, response: ServerResponse) => {
    const among = reserved.has(socket) ? reserved : ordinary;
    among.begin(socket);
    response.once("close", () => among.end(socket));
  });
  return { isInReserve: (socket) => reserved.has(socket) };
}

const isFromHere = ({ remoteAddress = "" }: Socket): boolean => LOOPBACK.test(remoteAddress);

/** Places for so many connections. */
function places(most: number) {
  /** With how many requests each has under way. */
  const requests = new Map<Socket, number>();
  /** Those without any, the longest first. */
  const silent = new Set<Socket>();

  function leave(socket: Socket): void {
    requests.delete(socket);
    silent.delete(socket);
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
    /** Makes some where one of them is silent. */
    hasRoom(): boolean {
      const [longest] = silent;
      if (requests.size >= most && longest !== undefined) {
        leave(longest);
        longest.destroy();
      }
      return requests.size < most;
    },
    enter(socket: Socket): void {
      requests.set(socket, 0);
      silent.add(socket);
    },
    begin: (socket: Socket) => count(socket, 1),
    end: (socket: Socket) => count(socket, -1),
    leave,
  };
}
