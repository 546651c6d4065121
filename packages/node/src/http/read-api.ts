import type { Topology } from "@orgloop/sdk";
import { Hono } from "hono";
import type { Activity, RecentEvents } from "../telemetry/activity.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { ProcessStatus, SourceStatus } from "../telemetry/status.ts";

export interface ReadApiOptions {
  /** As configured: references unresolved. */
  readonly topology: () => Topology;
  readonly activity: Activity;
  readonly history: RecentEvents;
  /** Mounted at `/inbox`. */
  readonly inbox: Hono;
  readonly metrics: Metrics;
  readonly status: () => ProcessStatus;
  readonly sources: () => readonly SourceStatus[];
}

/** OrgLoop's read endpoints, mounted at `/api` (v1alpha1, section 10). */
export function readApi(options: ReadApiOptions): Hono {
  const { topology, history, metrics, status, sources } = options;
  const api = new Hono();
  api.use(async (c, next) => {
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    return c.json({ error: `${c.req.method} is not allowed here` }, 405, { allow: "GET" });
  });
  api.get("/status", (c) => c.json(status()));
  api.get("/routes", (c) => c.json(routes(options)));
  api.get("/sources", (c) => {
    const module = topology().project;
    return c.json(sources().map((source) => ({ ...source, module })));
  });
  api.get("/events", (c) => {
    const { from, to, source, route, limit } = c.req.query();
    const most = limit === undefined ? undefined : Number(limit);
    if (most !== undefined && !(Number.isInteger(most) && most >= 0)) {
      return c.json({ error: `limit: found "${limit}", expected a whole number` }, 400);
    }
    for (const time of [from, to]) {
      if (time !== undefined && Number.isNaN(Date.parse(time))) {
        return c.json({ error: `found "${time}", expected a time in ISO 8601` }, 400);
      }
    }
    return c.json(history.query({ from, to, source, route, limit: most }));
  });
  api.get("/metrics", async (c) =>
    c.text(await metrics.text(), 200, { "content-type": metrics.contentType }),
  );
  api.route("/inbox", options.inbox);
  api.get("/doctor", (c) => c.json(diagnose(status())));
  return api;
}

function routes({ topology, activity }: ReadApiOptions) {
  const { project: module, routes } = topology();
  return routes.map(({ name, when, then, with: prompt }) => {
    const { matched, lastMatchedMs } = activity.route(name);
    return {
      name,
      module,
      when,
      actor: then.actor,
      ...(prompt !== undefined && { sop_file: prompt.prompt.file }),
      fire_count: matched,
      last_fired: lastMatchedMs === null ? null : new Date(lastMatchedMs).toISOString(),
    };
  });
}

/** v1alpha1's `doctor` of a running process: one check for each source and route. */
function diagnose({ project, health, sources, routes }: ProcessStatus) {
  const checks = [
    ...sources.map(({ id, status }) => ({
      category: "source",
      name: id,
      status: { healthy: "ok", degraded: "degraded", unhealthy: "error" }[status],
    })),
    ...routes.map(({ name, circuit }) => ({
      category: "route",
      name,
      status: circuit === "closed" ? "ok" : "degraded",
    })),
  ];
  const troubled = checks.some(({ status }) => status !== "ok");
  return { project, status: health === "ok" && troubled ? "degraded" : health, checks };
}
