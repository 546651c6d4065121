import { hasCode, messageOf } from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { HostedProject, ProjectRequest, ResolveProject } from "../process/hosted-project.ts";
import type { RunningProjects } from "../process/running-projects.ts";
import { answerMetrics } from "../telemetry/daemon-metrics.ts";
import { daemonStatus } from "../telemetry/daemon-status.ts";
import { daemonReadApi } from "./daemon-read-api.ts";
import { hostGuard, tokenGuard } from "./guard.ts";
import { readJson } from "./read-json.ts";

interface DaemonAppOptions {
  readonly host: string;
  readonly token: string;
  readonly startedMs: number;
  readonly now: () => number;
  readonly modules: RunningProjects;
  readonly resolve: ResolveProject | undefined;
  /** Begins to drain all. */
  readonly shutdown: () => void;
}

/**
 * HTTP status of what keeps a project from being loaded, unloaded or reloaded; 500 for anything
 * else.
 */
const STATUS: Readonly<Record<string, ContentfulStatusCode>> = {
  INVALID_REQUEST: 400,
  INVALID_FILTER: 400,
  INVALID_JSON: 400,
  UNKNOWN_MODULE: 404,
  MODULE_EXISTS: 409,
  MODULE_RENAMED: 409,
  LAST_MODULE: 409,
  LOCKED: 409,
  DATA_DIR_OWNED: 409,
  ALREADY_RUNNING: 409,
  CONFIG_INVALID: 422,
  MISSING_VARIABLES: 422,
  DRAINING: 503,
};

/**
 * What a request gets that is for no single project: steering of projects, `/control/module/*`
 * (v1alpha1, section 10), and, where several run, what they tell together.
 */
export function daemonApp(options: DaemonAppOptions): Hono {
  const { host, token, modules: running } = options;
  const modules = (): readonly HostedProject[] => [...running.all.values()];
  const status = () =>
    daemonStatus(modules(), running.waiting.status(), {
      port: running.port,
      uptimeMs: options.now() - options.startedMs,
    });
  const metrics = (c: Context) => answerMetrics(c, modules());
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ ok: true }));
  app.get("/readyz", async (c) => {
    await Promise.all(modules().map(({ project }) => project.http.look()));
    const waiting = modules().map(({ project }) => project.http.notReady());
    const isReady = waiting.includes(null);
    const error = waiting.find((reason) => reason !== null) ?? "no project runs yet";
    return isReady ? c.json({ ok: true }) : c.json({ ok: false, error }, 503);
  });
  app.use(hostGuard(host));
  app.get("/metrics", metrics);
  app.route("/api", daemonReadApi({ modules, status, metrics }));
  app.use(tokenGuard(token));
  app.get("/control/status", (c) => c.json(status()));
  app.post("/control/shutdown", (c) => {
    setImmediate(options.shutdown);
    return c.json({ ok: true });
  });
  app.route("/control/module", moduleApi(options));
  app.notFound((c) => {
    const names = modules().map(({ name }) => name);
    return names.length > 1
      ? c.json(
          {
            error: `several projects run here, say for which by ?module=NAME: ${names.join(", ")}`,
          },
          400,
        )
      : c.json({ error: `there is nothing at ${c.req.path}` }, 404);
  });
  app.onError(answerError);
  return app;
}

function moduleApi({ modules, resolve }: DaemonAppOptions): Hono {
  const api = new Hono();
  const statuses = () => modules.status();
  api.get("/list", (c) => c.json({ pid: process.pid, modules: statuses() }));
  api.get("/status/:name", (c) => {
    const name = c.req.param("name");
    const module = statuses().find((one) => one.name === name);
    return module === undefined
      ? c.json({ error: `no module "${name}" is loaded` }, 404)
      : c.json(module);
  });
  for (const path of ["/load", "/load-project"]) {
    api.post(path, async (c) => {
      if (resolve === undefined) {
        return c.json({ error: "this process loads no projects by request" }, 404);
      }
      const request = moduleRequest(await readJson(c));
      if (request === null) {
        return c.json({ error: "expected projectDir or configPath, absolute" }, 400);
      }
      const options = await resolve(request);
      await modules.load(options, request);
      const { project: name } = options.topology;
      return c.json({ ok: true, ...statuses().find((one) => one.name === name) });
    });
  }
  for (const change of ["unload", "reload"] as const) {
    api.post(`/${change}`, async (c) => {
      const { name } = await readJson(c);
      if (typeof name !== "string") return c.json({ error: "expected the project's name" }, 400);
      await modules[change](name);
      return c.json({ ok: true });
    });
  }
  return api;
}

function moduleRequest(body: Readonly<Record<string, unknown>>): ProjectRequest | null {
  const { configPath, projectDir, workspace } = body;
  if (typeof configPath !== "string" && typeof projectDir !== "string") return null;
  return {
    ...(typeof configPath === "string" && { configPath }),
    ...(typeof projectDir === "string" && { projectDir }),
    ...(typeof workspace === "string" && { workspace }),
  };
}

function answerError(error: Error, c: Context): Response {
  const code = "code" in error && typeof error.code === "string" ? error.code : "FAILED";
  const status = Object.keys(STATUS).find((one) => hasCode(error, one));
  return c.json(
    { error: messageOf(error), code },
    status === undefined ? 500 : (STATUS[status] as ContentfulStatusCode),
  );
}
