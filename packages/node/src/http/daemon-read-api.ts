import { parseJson } from "@orgloop/sdk";
import { type Context, Hono, type Next } from "hono";
import type { HostedProject } from "../process/hosted-project.ts";
import type { HostStatus } from "../telemetry/daemon-status.ts";

interface DaemonReadApiOptions {
  readonly modules: () => readonly HostedProject[];
  readonly status: () => HostStatus;
  readonly metrics: (c: Context) => Promise<Response>;
}

interface Drained {
  readonly events: readonly unknown[];
  readonly remaining: number;
  readonly continuation: string | null;
}

/**
 * `/api/*` over all projects (v1alpha1, section 10): each is asked, and `module` says whose the
 * answer is.
 */
export function daemonReadApi({ modules, status, metrics }: DaemonReadApiOptions): Hono {
  const api = new Hono();
  api.use(refuseOthers);
  const asked = () => modules().filter(({ failure }) => failure === null);
  /** Answers with what becomes of all the projects' answers. */
  const merge = <T>(path: string, merged: (answers: readonly T[], c: Context) => object): void => {
    api.get(path, async (c) => {
      const answers = await askAll<T>(c, asked());
      return answers instanceof Response ? answers : c.json(merged(answers, c));
    });
  };

  api.get("/status", (c) => c.json(status()));
  merge<object[]>("/routes", (answers) => answers.flat());
  merge<object[]>("/sources", (answers) => answers.flat());
  merge<{ timestamp: string }[]>("/events", (answers, c) => {
    const events = answers.flat().sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp));
    const { limit } = c.req.query();
    return limit === undefined ? events : events.slice(-Number(limit) || events.length);
  });
  api.get("/metrics", metrics);
  merge<{ project: string; checks: object[] }>("/doctor", (answers) => ({
    status: status().health,
    checks: answers.flatMap(({ project, checks }) =>
      checks.map((check) => ({ ...check, module: project })),
    ),
  }));
  merge<{ sessions: object[] }>("/inbox/list", (answers) => ({
    sessions: answers.flatMap(({ sessions }) => sessions),
  }));
  merge<{ pending: number }>("/inbox/status", (answers) => ({
    pending: answers.reduce((sum, { pending }) => sum + pending, 0),
  }));
  api.get("/inbox/drain", (c) => drainAll(c, asked()));
  return api;
}

/** A project that runs here has answered for itself; and nothing is changed here. */
async function refuseOthers(c: Context, next: Next): Promise<Response | undefined> {
  const module = c.req.query("module");
  if (module !== undefined) {
    return c.json({ error: `no project "${module}" runs in this process` }, 404);
  }
  if (c.req.method !== "GET" && c.req.method !== "HEAD") {
    return c.json({ error: `${c.req.method} is not allowed here` }, 405, { allow: "GET" });
  }
  await next();
  return undefined;
}

/** What every project answers; or what one of them refuses. */
async function askAll<T>(c: Context, modules: readonly HostedProject[]): Promise<T[] | Response> {
  const answers: T[] = [];
  for (const module of modules) {
    const answer = await ask(c, module);
    if (!answer.ok) return answer;
    answers.push(parseJson(await answer.text()) as T);
  }
  return answers;
}

/** Asks one project after the other, until the limit is reached or one of them has more. */
async function drainAll(c: Context, modules: readonly HostedProject[]): Promise<Response> {
  const limit = c.req.query("limit");
  const drained: Drained[] = [];
  let left = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  for (const module of modules) {
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
}

/** Asks one project what the request asks all. */
function ask(
  c: Context,
  { requests, app }: HostedProject,
  change: (url: URL) => void = () => {},
): Promise<Response> {
  const url = new URL(c.req.url);
  change(url);
  const headers = new Headers(c.req.header());
  const request = new Request(url, { method: c.req.method, headers });
  return requests.during(() => app.fetch(request, c.env));
}
