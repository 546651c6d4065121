import { createHmac } from "node:crypto";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { readUnsettled } from "@orgloop/bus/file";
import { onTestFinished } from "vitest";
import { serveTest } from "../serve-test.ts";

const SECRET = "s3cret";
const fixture = fileURLToPath(new URL("../fixtures/sigkill", import.meta.url));

/** The world outside: a feed that grows, a receiver that remembers every arrival. */
async function startWorld() {
  let feed = 0;
  const arrivals: { key: string; run: number }[] = [];
  const world = { run: 0, growing: true };
  const server = createServer(async (request, response) => {
    const url = new URL(request.url ?? "/", "http://127.0.0.1");
    if (url.pathname === "/feed") {
      if (world.growing) feed += Math.floor(Math.random() * 15);
      const after = Number(url.searchParams.get("after"));
      const count = Math.min(10, Math.max(0, feed - after));
      const page = Array.from({ length: count }, (_, i) => after + 1 + i);
      response.end(JSON.stringify(page));
      return;
    }
    if (url.pathname === "/extra") {
      request.resume();
      response.writeHead(204).end();
      return;
    }
    const { event } = (await json(request)) as {
      event: { source: string; payload: { n: number } };
    };
    arrivals.push({ key: `${event.source}/${event.payload.n}`, run: world.run });
    response.writeHead(204).end();
  });
  const port = await serveTest(server);
  const openConnections = promisify(server.getConnections.bind(server));
  /**
   * Resolves when all that a process sent before it was killed has arrived: its connections are
   * closed.
   */
  const quiet = async (): Promise<void> => {
    while ((await openConnections()) > 0) await wait(10);
  };
  return { world, arrivals, url: `http://127.0.0.1:${port}`, fed: () => feed, quiet };
}

/** Sends numbered webhooks until told to stop; `answered` gets those that were answered 200. */
export async function sendWebhooks(
  url: string,
  next: () => number,
  answered: Set<string>,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    const n = next();
    const body = JSON.stringify({ n });
    const signature = createHmac("sha256", SECRET).update(body).digest("hex");
    try {
      const response = await fetch(`${url}/webhook/hook`, {
        method: "POST",
        headers: { "x-hub-signature-256": `sha256=${signature}`, "x-github-delivery": `d${n}` },
        body,
      });
      await response.arrayBuffer();
      if (response.ok) answered.add(`hook/${n}`);
    } catch {
      // Killed while it was answering: not acknowledged, so nothing was promised.
    }
  }
}

export async function checkpointOf(home: string): Promise<number> {
  const file = path.join(home, "data/checkpoints/feed.json");
  const text = await readFile(file, "utf8").catch(() => '{"checkpoint":"0"}');
  return Number(JSON.parse(text).checkpoint);
}

/** `SOURCE/n` of every event that the log does not call settled. */
export async function unsettledIn(home: string): Promise<Set<string>> {
  const log = path.join(home, "data/wal");
  const keys = new Set<string>();
  if (!existsSync(log)) return keys;
  for await (const { event } of readUnsettled(log)) {
    keys.add(`${event.source}/${(event.payload as { n: number }).n}`);
  }
  return keys;
}

/** The project in a directory of its own, and the world around it. */
export async function sigkillWorld() {
  const directory = await mkdtemp(path.join(tmpdir(), "orgloop-sigkill-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const project = path.join(directory, "project");
  const home = path.join(directory, "home");
  await cp(fixture, project, { recursive: true });
  await cp(
    path.join(fixture, "feed-connector"),
    path.join(project, "node_modules/feed-connector"),
    { recursive: true },
  );
  const { world, arrivals, url, fed, quiet } = await startWorld();
  const env = {
    ORGLOOP_HOME: home,
    HOOK_SECRET: SECRET,
    FEED_URL: `${url}/feed`,
    RECEIVER_URL: `${url}/receive`,
  };
  return { project, home, env, url, world, arrivals, fed, quiet };
}

/** Arrivals that came again: in which run before, and in which run again. */
export function duplicates(arrivals: readonly { key: string; run: number }[]) {
  const before = new Map<string, number>();
  return arrivals.flatMap(({ key, run: again }) => {
    const run = before.get(key);
    before.set(key, again);
    return run === undefined ? [] : [{ key, run, again }];
  });
}
