import * as http from "node:http";
import * as https from "node:https";
import type { Duplex } from "node:stream";

/** Connections of all webhook actors of a process, those that are idle included. */
export const MOST_SOCKETS = 2_000;

const open = new Set<Duplex>();
/** The one that has been idle for longest first. */
const idle = new Set<Duplex>();

/** How many connections there are, of all agents. */
export function socketCounts(): { readonly open: number; readonly idle: number } {
  return { open: open.size, idle: idle.size };
}

/** What Node documents to be overridden. */
interface Overridden {
  createConnection(this: http.Agent, ...given: unknown[]): Duplex | null | undefined;
  keepSocketAlive(this: http.Agent, socket: Duplex): unknown;
  reuseSocket(this: http.Agent, socket: Duplex, request: http.ClientRequest): void;
}

/**
 * An agent that keeps its connections for the next request. Where the process has {@link
 * MOST_SOCKETS}, an idle one, whose ever it is, makes room for a new one. How many requests are
 * under way is the host's to bound.
 */
export function countedAgent(protocol: string): http.Agent {
  const agent = new (protocol === "https:" ? https : http).Agent({ keepAlive: true });
  const { createConnection, keepSocketAlive, reuseSocket } = agent as unknown as Overridden;
  const overridden: Overridden = {
    createConnection(...given) {
      if (open.size >= MOST_SOCKETS) firstOf(idle)?.destroy();
      const socket = createConnection.apply(this, given);
      if (socket) count(socket);
      return socket;
    },
    keepSocketAlive(socket) {
      idle.add(socket);
      return keepSocketAlive.call(this, socket);
    },
    reuseSocket(socket, request) {
      idle.delete(socket);
      reuseSocket.call(this, socket, request);
    },
  };
  return Object.assign(agent, overridden);
}

/** Closes the agent's idle connections: one of them turned out to be closed at the other end. */
export function closeIdle({ freeSockets }: http.Agent): void {
  for (const sockets of Object.values(freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function count(socket: Duplex): void {
  open.add(socket);
  socket.once("close", () => {
    open.delete(socket);
    idle.delete(socket);
  });
}

function firstOf(sockets: ReadonlySet<Duplex>): Duplex | undefined {
  for (const socket of sockets) {
    if (!socket.destroyed) return socket;
  }
  return undefined;
}
