import { createHmac } from "node:crypto";
import { cp, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { fileURLToPath, pathToFileURL } from "node:url";

const SECRET = "s3cret-of-the-campaign";
const FIXTURES = fileURLToPath(new URL("../fixtures", import.meta.url));

/** Routes that every webhook takes. */
export const ROUTES = ["plain", "rated", "flaky", "asking"] as const;

/** One tick of the cron source, as it arrived. */
export interface TickSeen {
  readonly schedule: string;
  readonly id: string;
  /** By the clock of the one who looks, which nobody sets. */
  readonly atMs: number;
}

/**
 * What surrounds a process whose machine's clock is set: a sender, a feed, actors that are ill or
 * ask to wait.
 */
export interface ClockWorld {
  readonly project: string;
  readonly env: NodeJS.ProcessEnv;
  /** By route: `hook/N`, or `feed/N`, and when it was accepted. */
  readonly accepted: ReadonlyMap<string, ReadonlyMap<string, number>>;
  readonly ticks: readonly TickSeen[];
  /** How far the clock is ahead. */
  readonly aheadMs: number;
  set(aheadMs: number): Promise<void>;
  /** Sends webhook `n`; true where it was answered 200. */
  post(url: string, n: number): Promise<boolean>;
  close(): Promise<void>;
}

interface Body {
  readonly event: {
    readonly id: string;
    readonly source: string;
    readonly payload: { readonly n: number; readonly schedule?: string };
  };
}

export async function clockWorld(): Promise<ClockWorld> {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-clock-"));
  const project = path.join(directory, "project");
  await cp(path.join(FIXTURES, "clock"), project, { recursive: true });
  const connector = path.join(project, "node_modules/feed-connector");
  await cp(path.join(FIXTURES, "sigkill/feed-connector"), connector, { recursive: true });
  const accepted = new Map<string, Map<string, number>>();
  const ticks: TickSeen[] = [];
  let feed = 0;
  let aheadMs = 0;

  function refuses(route: string, response: ServerResponse): boolean {
    const chance = Math.random();
    if (route === "flaky" && chance < 0.5) response.writeHead(500).end();
    else if (route === "asking" && chance < 0.2) {
      response.writeHead(429, { "retry-after": "3600" }).end();
    } else return false;
    return true;
  }
  const server = createServer(async (request, response) => {
    const route = new URL(request.url ?? "/", "http://127.0.0.1").pathname.slice(1);
    if (route === "feed") {
      const after = Number(new URL(request.url ?? "/", "http://a").searchParams.get("after"));
      feed = Math.max(feed, after + 1);
      return response.end(JSON.stringify(after < feed && Math.random() < 0.5 ? [after + 1] : []));
    }
    const { event } = (await json(request)) as Body;
    if (refuses(route, response)) return;
    if (route === "ticks") {
      const { id, payload } = event;
      ticks.push({ schedule: String(payload.schedule), id, atMs: performance.now() });
    } else {
      const seen = accepted.get(route) ?? new Map<string, number>();
      accepted.set(route, seen.set(`${event.source}/${event.payload.n}`, performance.now()));
    }
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));

  const clock = path.join(directory, "ahead");
  /** Replaced as a whole: it is read at any time. */
  async function set(toMs: number): Promise<void> {
    await writeFile(`${clock}.new`, String(toMs));
    await rename(`${clock}.new`, clock);
    aheadMs = toMs;
  }
  await set(0);
  return {
    project,
    env: {
      ORGLOOP_HOME: path.join(directory, "home"),
      HOOK_SECRET: SECRET,
      WORLD_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      CLOCK_AHEAD: clock,
      NODE_OPTIONS: `--import=${pathToFileURL(path.join(FIXTURES, "clock/set-clock.mjs"))}`,
    },
    accepted,
    ticks,
    get aheadMs() {
      return aheadMs;
    },
    set,
    async post(url, n) {
      const body = JSON.stringify({ n });
      const signature = createHmac("sha256", SECRET).update(body).digest("hex");
      const headers = { "x-hub-signature-256": `sha256=${signature}` };
      return (await fetch(`${url}/webhook/hook`, { method: "POST", headers, body })).ok;
    },
    async close() {
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
