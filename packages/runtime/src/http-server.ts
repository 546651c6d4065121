import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { hasCode, isRefused, messageOf, OrgLoopError } from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import { hostGuard, tokenGuard } from "./guard.ts";

export interface HttpServerOptions {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  readonly token: string;
  readonly webhook: (c: Context) => Promise<Response>;
  readonly readApi: Hono;
  readonly controlApi: Hono;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Null: ready; otherwise why not. */
  readonly notReady: () => string | null;
}

export interface HttpServer {
  readonly address: { readonly host: string; readonly port: number };
  /** Takes no new connections; ends the open ones when their requests are answered, at the latest after `graceMs`. */
  close(graceMs: number): Promise<void>;
}

/** A sender may take this long for its headers, and for the whole request: slow ones must not hold the connections. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
const MAX_CONNECTIONS = 4_096;
const IDLE_SWEEP_MS = 20;

/** The process's HTTP (`spec/cli.md`, HTTP). Every answer but the metrics is JSON. Throws `PORT_IN_USE`. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { host, port } = options;
  const server = createAdaptorServer({
    fetch: httpApp(options).fetch,
    hostname: host,
    serverOptions: {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5_000,
    },
  }) as Server;
  server.maxConnections = MAX_CONNECTIONS;
  await listen(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return { address: { host, port: bound }, close: (graceMs) => close(server, graceMs) };
}

function httpApp(options: HttpServerOptions): Hono {
  const { host, token, webhook, readApi, controlApi, metrics, notReady } = options;
  const app = new Hono();
  app.all("/webhook/*", webhook);
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", (c) => {
    const reason = notReady();
    return reason === null ? c.json({ ok: true }) : c.json({ ok: false, error: reason }, 503);
  });
  app.use(hostGuard(host));
  app.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
  app.route("/api", readApi);
  const guard = tokenGuard(token);
  app.use("/control/*", guard);
  app.use((c, next) =>
    c.req.method === "GET" || c.req.method === "HEAD" ? next() : guard(c, next),
  );
  app.route("/control", controlApi);
  app.on(["POST", "PUT", "PATCH", "DELETE"], ["/healthz", "/readyz", "/metrics"], (c) =>
    c.json({ error: `${c.req.method} is not allowed here` }, 405, { allow: "GET" }),
  );
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.path}` }, 404));
  app.onError((error, c) =>
    isRefused(error)
      ? c.json({ error: error.message }, error.status)
      : c.json({ error: messageOf(error) }, 500),
  );
  return app;
}

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
