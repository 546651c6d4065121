import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { RETRY_AFTER_S, type WebhookAnswer } from "@orgloop/engine";
import { hasCode, OrgLoopError } from "@orgloop/sdk";
import { ownDescriptorShares } from "../data/descriptor-shares.ts";
import { type Clock, waitUntil } from "../process/clock.ts";
import { type ConnectionBounds, limitConnections } from "./connection-limit.ts";

/** Answers a request to `/webhook/…`. */
export type AnswerRequest = (request: IncomingMessage, url: URL) => Promise<WebhookAnswer>;

export interface HttpServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Answers all requests but those for webhooks. */
  readonly fetch: (request: Request, env: unknown) => Response | Promise<Response>;
  /** Absent: `fetch` answers these, too. */
  readonly webhook?: AnswerRequest;
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
  webhook,
  connections = ownDescriptorShares().connections,
}: HttpServerOptions): Promise<HttpServer> {
  const answerOther = getRequestListener(fetch, { hostname: host });
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
    (request, response) => {
      const url = webhook === undefined ? null : webhookUrl(request);
      if (webhook === undefined || url === null) return answerOther(request, response);
      const answer = limit.isInReserve(request.socket) ? turnedAway : webhook;
      return answerRequest(answer, request, url, response);
    },
  );
  const limit = limitConnections(server, connections);
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return { address: { host, port: bound }, close: (graceMs) => close(server, graceMs) };
}

/** The places in reserve are not for those who may come in any number. */
const turnedAway = async (): Promise<WebhookAnswer> => ({
  status: 503,
  headers: { "retry-after": String(RETRY_AFTER_S), connection: "close" },
  body: { error: "too many connections: try again later" },
});

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

/** What a sender whose body is not wanted may go on sending before the connection is closed. */
const UNREAD_MS = 500;

/** The URL of a request for a webhook; null: it is for something else, or has none. */
function webhookUrl({ url = "" }: IncomingMessage): URL | null {
  // By itself, `//x` would be a host.
  const parsed = URL.parse(url.startsWith("/") ? `http://localhost${url}` : url);
  return parsed?.pathname.startsWith("/webhook/") ? parsed : null;
}

/** Answers webhooks without the web's `Request` and `Response`: there are too many of them. */
async function answerRequest(
  answer: AnswerRequest,
  request: IncomingMessage,
  url: URL,
  response: ServerResponse,
): Promise<void> {
  let found: WebhookAnswer;
  try {
    found = await answer(request, url);
  } catch {
    found = { status: 500, headers: {}, body: { error: "the request could not be answered" } };
  }
  if (response.destroyed) return;
  const body = JSON.stringify(found.body);
  response.writeHead(found.status, {
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
    ...found.headers,
  });
  response.end(body);
  if (!request.readableEnded) letGo(request);
}

/** Of a body that was not read, what still comes is thrown away, for a while. */
function letGo(request: IncomingMessage): void {
  const cut = setTimeout(() => request.socket.destroySoon(), UNREAD_MS);
  request.once("end", () => clearTimeout(cut)).once("close", () => clearTimeout(cut));
  request.on("error", () => undefined).resume();
}
