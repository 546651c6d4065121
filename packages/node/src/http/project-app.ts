import type { MaskSecrets } from "@orgloop/engine";
import { isRefused, messageOf } from "@orgloop/sdk";
import { Hono } from "hono";
import { hostGuard, tokenGuard } from "./guard.ts";

export interface ProjectAppOptions {
  /** Where the process listens. */
  readonly host: string;
  readonly token: string;
  readonly readApi: Hono;
  readonly controlApi: Hono;
  readonly metrics: { readonly contentType: string; text(): Promise<string> };
  /** Null: ready; otherwise why not. */
  readonly notReady: () => string | null;
  /** Looks whether what kept it from taking events is over. */
  readonly look: () => Promise<void>;
  readonly mask: MaskSecrets;
}

/**
 * One project's HTTP but its webhooks (`docs/commands.md`, HTTP). Every answer but the metrics is
 * JSON.
 */
export function projectApp(options: ProjectAppOptions): Hono {
  const { host, token, readApi, controlApi, metrics, notReady, look, mask } = options;
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", async (c) => {
    await look();
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
      ? c.json({ error: mask(error.message) }, error.status)
      : c.json({ error: mask(messageOf(error)) }, 500),
  );
  return app;
}
