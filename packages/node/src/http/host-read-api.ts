import { parseJson } from "@orgloop/sdk";
import { type Context, Hono } from "hono";
import type { HostedModule } from "../process/host-modules.ts";
import type { HostStatus } from "../telemetry/host-status.ts";

export interface HostReadApiOptions {
  readonly modules: () => readonly HostedModule[];
  readonly status: () => HostStatus;
  readonly metrics: (c: Context) => Promise<Response>;
}

interface Drained {
  readonly events: readonly unknown[];
  readonly remaining: number;
  readonly continuation: string | null;
}

/** `/api/*` over all projects (v1alpha1, section 10): each is asked, and `module` says whose the answer is. */
export function hostReadApi({ modules, status, metrics }: HostReadApiOptions): Hono {
  const api = new Hono();
  api.use(async (c, next) => {
    // A project that runs here has answered for itself.
    const module = c.req.query("module");
    if (module !== undefined) {
      return c.json({ error: `no project "${module}" runs in this process` }, 404);
    }
    if (c.req.method === "GET" || c.req.method === "HEAD") return next();
    return c.json({ error: `${c.req.method} is not allowed here` }, 405, { allow: "GET" });
  });
  const asked = () => modules().filter(({ failure }) => failure === null);

  /** What every project answers; or what one of them refuses. */
  async function all<T>(c: Context, change?: (url: URL) => void): Promise<T[] | Response> {
    const answers: T[] = [];
    for (const module of asked()) {
      const answer = await ask(c, module, change);
      if (!answer.ok) return answer;
      answers.push(parseJson(await answer.text()) as T);
    }
    return answers;
  }

  const list = (path: string, key = (item: unknown) => item) =>
    api.get(path, async (c) => {
      const answers = await all<object[]>(c);
      return answers instanceof Response ? answers : c.json(answers.flat().map(key));
    });

  api.get("/status", (c) => c.json(status()));
  list("/routes");
  list("/sources");
  api.get("/events", async (c) => {
    const answers = await all<{ timestamp: string }[]>(c);
    if (answers instanceof Response) return answers;
    const events = answers.flat().sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
    const { limit } = c.req.query();
    return c.json(limit === undefined ? events : events.slice(-Number(limit) || events.length));
  });
  api.get("/metrics", metrics);
  api.get("/doctor", async (c) => {
    const answers = await all<{ project: string; checks: object[] }>(c);
    if (answers instanceof Response) return answers;
    const checks = answers.flatMap(({ project, checks: of }) =>
      of.map((check) => ({ ...check, module: project })),
    );
    return c.json({ status: status().health, checks });
  });
  api.get("/inbox/list", async (c) => {
    const answers = await all<{ sessions: object[] }>(c);
    if (answers instanceof Response) return answers;
    return c.json({ sessions: answers.flatMap(({ sessions }) => sessions) });
  });
  api.get("/inbox/status", async (c) => {
    const answers = await all<{ pending: number }>(c);
    if (answers instanceof Response) return answers;
    return c.json({ pending: answers.reduce((sum, { pending }) => sum + pending, 0) });
  });
  api.get("/inbox/drain", async (c) => {
    const limit = c.req.query("limit");
    const drained: Drained[] = [];
    let left = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
    for (const module of asked()) {
      // A session is one project's, as a rule: the others have nothing.
      const answer = await ask(c, module, ({ searchParams }) => {
        if (Number.isFinite(left)) searchParams.set("limit", String(left));
      });
      if (!answer.ok) {
        // What others have given leaves their inboxes with this answer.
        if (drained.some(({ events }) => events.length > 0)) break;
        return answer;
      }
      const batch = parseJson(await answer.text()) as Drained;
      drained.push(batch);
      left -= batch.events.length;
      if (left <= 0 || batch.remaining > 0) break;
    }
    const last = drained.at(-1);
    return c.json({
      events: drained.flatMap(({ events }) => events),
      remaining: last?.remaining ?? 0,
      continuation: last?.continuation ?? null,
    });
  });
  return api;
}

/** Asks one project what the request asks all. */
function ask(
  c: Context,
  { requests, app }: HostedModule,
  change: (url: URL) => void = () => {},
): Promise<Response> {
  const url = new URL(c.req.url);
  change(url);
  const headers = new Headers(c.req.header());
  const request = new Request(url, { method: c.req.method, headers });
  return requests.during(() => app.fetch(request, c.env));
}
