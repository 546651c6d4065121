import { type Context, Hono } from "hono";
import { hostGuard } from "../http/guard.ts";
import type { HostedProject } from "../process/hosted-project.ts";
import { mergeMetrics } from "./merge-metrics.ts";

/** The metrics of all projects; where several run, each sample says whose it is. */
export async function answerMetrics(
  c: Context,
  modules: readonly HostedProject[],
): Promise<Response> {
  const projects = await Promise.all(
    modules.map(async ({ name, project }) => ({
      module: name,
      text: await project.http.metrics.text(),
    })),
  );
  const [only, ...others] = projects;
  const text = only !== undefined && others.length === 0 ? only.text : mergeMetrics(projects);
  const type = modules[0]?.project.http.metrics.contentType ?? "text/plain";
  return c.text(text, 200, { "content-type": type });
}

/** v1alpha1's port for Prometheus alone (section 10): `GET /metrics`, and nothing else. */
export function metricsApp(host: string, modules: () => readonly HostedProject[]): Hono {
  const app = new Hono();
  app.use(hostGuard(host));
  app.get("/metrics", (c) => answerMetrics(c, modules()));
  app.notFound((c) => c.json({ error: "there is /metrics here, and nothing else" }, 404));
  return app;
}
