import { createHmac } from "node:crypto";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const SECRET = "s3cret-of-the-campaign";
const FIXTURES = fileURLToPath(new URL("../fixtures", import.meta.url));
/** Payloads' `m` goes from 0 to here: which routes an event takes. */
const KINDS = 7;
const KEYS = 6;

export interface Arrival {
  readonly route: string;
  /** `hook/17` or `feed/3`. */
  readonly key: string;
  readonly orderingKey: unknown;
  readonly run: number;
}

/**
 * What surrounds the process that is killed: senders, a feed, actors that are ill at times, an
 * agent.
 */
export interface CrashWorld {
  /** Everything of it, `project` and `home` too. */
  readonly directory: string;
  readonly project: string;
  readonly home: string;
  readonly env: NodeJS.ProcessEnv;
  readonly state: { run: number; ill: boolean; growing: boolean };
  /** Accepted by an actor, or drained from an inbox, in order. */
  readonly arrivals: readonly Arrival[];
  /** Webhooks that were answered 200, with the ids of their events. */
  readonly answered: ReadonlyMap<number, string>;
  /** In which run a webhook was sent for the first time. */
  readonly sentIn: ReadonlyMap<number, number>;
  resent(): number;
  fed(): number;
  /** Sends webhooks and drains inboxes until `stop`. */
  load(url: string, stop: AbortSignal): Promise<void>;
  drain(url: string, limit?: number): Promise<number>;
  /** Resolves when all that a killed process had sent has arrived. */
  quiet(): Promise<void>;
  close(): Promise<void>;
}

const kindOf = (n: number): number => n % KINDS;

/** The routes that webhook `n` takes. */
export function routesOf(n: number): readonly string[] {
  const m = kindOf(n);
  const other =
    m <= 2 ? ["flaky"] : m === 3 ? ["strict"] : m === 4 ? ["slow"] : m === 5 ? ["inbox"] : [];
  return ["plain", ...other];
}

/** `dead`: the actor that is ill at times is ill for good, so that its events wait. */
export async function crashWorld({ dead = false } = {}): Promise<CrashWorld> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-crash-"));
  const project = path.join(directory, "project");
  await cp(path.join(FIXTURES, "crash"), project, { recursive: true });
  const connector = path.join(project, "node_modules/feed-connector");
  await cp(path.join(FIXTURES, "sigkill/feed-connector"), connector, { recursive: true });
  const state = { run: 0, ill: true, growing: true };
  const arrivals: Arrival[] = [];
  const answered = new Map<number, string>();
  const sentIn = new Map<number, number>();
  let feed = 0;
  let resent = 0;

  interface Body {
    readonly event: {
      readonly source: string;
      readonly payload: { readonly n: number; readonly k?: string };
    };
  }
  function arrive(route: string, { event }: Body): void {
    const { n, k } = event.payload;
    arrivals.push({ route, key: `${event.source}/${n}`, orderingKey: k, run: state.run });
  }
  /** What an actor that is ill does: refuses for a while, breaks off, asks to wait. */
  function isIll(response: ServerResponse): boolean {
    if (!dead && (!state.ill || Math.random() > 0.3)) return false;
    const kind = Math.floor(Math.random() * 3);
    if (kind === 0) response.destroy();
    else response.writeHead(kind === 1 ? 500 : 503, kind === 1 ? {} : { "retry-after": "0" }).end();
    return true;
  }
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (pathname === "/feed") {
      if (state.growing) feed += Math.floor(Math.random() * 15);
      const after = Number(searchParams.get("after"));
      const count = Math.min(10, Math.max(0, feed - after));
      response.end(JSON.stringify(Array.from({ length: count }, (_, i) => after + 1 + i)));
      return;
    }
    const body = (await json(request)) as Body;
    if (pathname === "/strict") return response.writeHead(422).end("never");
    if (pathname === "/flaky") {
      if (isIll(response)) return;
      arrive("flaky", body);
    }
    if (pathname === "/plain" || pathname === "/slow") arrive(pathname.slice(1), body);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connections = promisify(server.getConnections.bind(server));
  const env = {
    ORGLOOP_HOME: path.join(directory, "home"),
    HOOK_SECRET: SECRET,
    WORLD_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };

  async function post(url: string, n: number, k: string): Promise<string | null> {
    const body = JSON.stringify({ n, k, m: kindOf(n) });
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    const headers = { "x-hub-signature-256": `sha256=${signature}`, "x-github-delivery": `d${n}` };
    const response = await fetch(`${url}/webhook/hook`, { method: "POST", headers, body });
    const answer = (await response.json()) as { event_id: string | null; repeats?: string[] };
    return response.ok ? (answer.event_id ?? answer.repeats?.[0] ?? "") : null;
  }
  /** One key a sender, so that what is sent under a key is sent in order. */
  async function send(url: string, k: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const n = sentIn.size + 1;
      sentIn.set(n, state.run);
      try {
        const id = await post(url, n, k);
        if (id !== null) answered.set(n, id);
        // Senders send again, also what was answered.
        if (Math.random() < 0.1 && (await post(url, n, k)) !== null) resent += 1;
      } catch {
        // Killed while it was answering: not acknowledged, so nothing was promised.
      }
    }
  }
  async function drain(url: string, limit = 10): Promise<number> {
    const keys = Array.from({ length: KEYS }, (_, k) => `sk${k}`);
    const key = keys[Math.floor(Math.random() * KEYS)] as string;
    let count = 0;
    for (const session_key of limit > 10 ? keys : [key]) {
      const query = new URLSearchParams({ session_key, limit: String(limit) });
      const answer = await fetch(`${url}/api/inbox/drain?${query}`);
      const { events } = (await answer.json()) as { readonly events: readonly Body["event"][] };
      for (const event of events) arrive("inbox", { event });
      count += events.length;
    }
    return count;
  }
  async function drainAtRandom(url: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      await drain(url, 1 + Math.floor(Math.random() * 10)).catch(() => undefined);
      await wait(Math.random() * 100);
    }
  }
  return {
    directory,
    project,
    home: env.ORGLOOP_HOME,
    env,
    state,
    arrivals,
    answered,
    sentIn,
    resent: () => resent,
    fed: () => feed,
    async load(url, stop) {
      const senders = Array.from({ length: KEYS }, (_, k) => send(url, `k${k}`, stop));
      await Promise.all([...senders, drainAtRandom(url, stop)]);
    },
    drain,
    async quiet() {
      while ((await connections()) > 0) await wait(5);
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
