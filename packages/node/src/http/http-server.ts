import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { ownDescriptorShares } from "../data/descriptor-shares.ts";
import { type Clock, waitUntil } from "../process/clock.ts";
import { type ConnectionBounds, limitConnections } from "./connection-limit.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly fetch: (request: Request, env: unknown) => Response | Promise<Response>;
  /** Default: what the process may have open allows, at most 4,096 and 64 in reserve. */
  readonly connections?: ConnectionBounds;
}

export interface HttpServer {
  readonly address: { readonly host: string; readonly port: number };
  /**
   * Takes no new connections; ends the open ones when their requests are answered, at the latest
   * after `graceMs`.
   */
  close(graceMs: number): Promise<void>;
}

/**
 * A sender may take this long for its headers, and for the whole request: slow ones must not hold
 * the connections.
 */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const IDLE_SWEEP_MS = 20;

/** Listens. Throws `PORT_IN_USE`. */
export async function startHttpServer({
  host,
  port,
  fetch,
  connections = ownDescriptorShares().connections,
}: HttpServerOptions): Promise<HttpServer> {
  const server = createAdaptorServer({
    fetch: (request, env) => (isTurnedAway(request, env) ? turnedAway() : fetch(request, env)),
    hostname: host,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
  }) as Server;
  const limit = limitConnections(server, connections);
  const isTurnedAway = (request: Request, env: unknown): boolean =>
    limit.isInReserve((env as HttpBindings).incoming.socket) &&
    new URL(request.url).pathname.startsWith("/webhook/");
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return { address: { host, port: bound }, close: (graceMs) => close(server, graceMs) };
}

/** The places in reserve are not for those who may come in any number. */
const turnedAway = (): Response =>
  Response.json(
    { error: "too many connections: try again later" },
    { status: 503, headers: { "retry-after": "5", connection: "close" } },
  );

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) => {
      reject(
        hasCode(cause, "EADDRINUSE")
          ? new OrgLoopError(
              "PORT_IN_USE",
              `port ${port} on ${host} is in use: choose another by --port or ORGLOOP_PORT`,
              { cause },
            )
          : cause,
      );
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    // What becomes idle from now on would be kept alive otherwise.
    const sweep = setInterval(() => server.closeIdleConnections(), IDLE_SWEEP_MS);
    server.close(() => {
      clearInterval(sweep);
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Counts requests, so that a project that closes can wait for its own. */
export interface RequestCount {
  during<T>(answer: () => Promise<T> | T): Promise<T>;
  /** Resolves when none is under way, at the latest after `graceMs`. */
  idle(clock: Clock, graceMs: number): Promise<void>;
}

export function requestCount(): RequestCount {
  let count = 0;
  let none = Promise.withResolvers<void>();
  none.resolve();
  return {
    async during(answer) {
      if (count === 0) none = Promise.withResolvers();
      count += 1;
      try {
        return await answer();
      } finally {
        count -= 1;
        if (count === 0) none.resolve();
      }
    },
    async idle(clock, graceMs) {
      const done = new AbortController();
      await Promise.race([none.promise, waitUntil(clock, clock.now() + graceMs, done.signal)]);
      done.abort();
    },
  };
}
