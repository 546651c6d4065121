import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import type { Topology } from "@orgloop/sdk";
import { readAppliedState } from "@orgloop/stores";
import { expect, test } from "vitest";
import { startOrgLoop } from "../run-orgloop.ts";
import { checkpointOf, sendWebhooks, sigkillWorld } from "./sigkill-world.ts";

const KILLS = 12;
const SENDERS = 4;
/** At least so many before each. */
const CHANGES = 3;

interface Running {
  readonly serial: number;
  readonly hash: string;
  readonly topology: Topology;
}

/** The configuration of the files, with some of it changed; whatever reaches the receiver stays. */
function changed(base: Topology, extra: string, n: number): Topology {
  const [deliver] = base.routes;
  if (deliver === undefined) throw new Error("the fixture has a route");
  const { queue_depth, connector } = base.actors[0] as Topology["actors"][number];
  const noted = <Item extends { readonly config: object }>(item: Item): Item => ({
    ...item,
    config: { ...item.config, note: n },
  });
  return {
    ...base,
    sources: base.sources.map((source) => (n % 3 === 0 ? noted(source) : source)),
    actors: [
      ...base.actors.map((actor) => (n % 2 === 0 ? noted(actor) : actor)),
      ...(n % 4 < 2 ? [{ id: "extra", connector, config: { url: extra }, queue_depth }] : []),
    ],
    routes: [
      { ...deliver, delivery: { ...deliver.delivery, concurrency: 1 + (n % 15) } },
      ...(n % 4 < 2 ? [{ ...deliver, name: "extra", then: { actor: "extra", config: {} } }] : []),
    ],
    transforms: base.transforms.map((item) => (n % 5 === 0 ? noted(item) : item)),
  };
}

test(`killed ${KILLS} times while changes are applied under load: nothing acknowledged is lost, the state is whole`, async () => {
  const { project, home, env, world, arrivals, url: outside, fed } = await sigkillWorld();
  const dataDir = path.join(home, "data");
  let sent = 0;
  const answered = new Set<string>();
  const next = () => {
    sent += 1;
    return sent;
  };
  let serial = 0;
  let applied = 0;
  let files: string | null = null;

  async function control(
    url: string,
  ): Promise<{ readonly headers: Record<string, string>; first: Running }> {
    const token = (await readFile(path.join(home, "token"), "utf8")).trim();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const first = (await (await fetch(`${url}/control/topology`, { headers })).json()) as Running;
    files ??= first.hash;
    expect(first.hash).toBe(files);
    expect(first.serial).toBeGreaterThanOrEqual(serial);
    serial = first.serial;
    return { headers, first };
  }

  async function applyUntilKilled(
    url: string,
    { headers, first }: Awaited<ReturnType<typeof control>>,
    stop: AbortSignal,
  ): Promise<void> {
    for (let n = applied; !stop.aborted; n += 1) {
      const topology = changed(first.topology, `${outside}/extra`, n);
      const body = JSON.stringify({ topology });
      try {
        const answer = await fetch(`${url}/control/apply`, { method: "POST", headers, body });
        expect(answer.status).toBe(200);
        const now = (await answer.json()) as Running;
        expect(now.serial).toBe(serial + 1);
        serial = now.serial;
        applied += 1;
      } catch (error) {
        // Killed while it was applying.
        if (!stop.aborted && !(error instanceof TypeError)) throw error;
        return;
      }
    }
  }

  for (world.run = 0; world.run < KILLS; world.run += 1) {
    const running = await startOrgLoop(project, env);
    const stop = new AbortController();
    const known = await control(running.url);
    const load = [
      applyUntilKilled(running.url, known, stop.signal),
      ...Array.from({ length: SENDERS }, () =>
        sendWebhooks(running.url, next, answered, stop.signal),
      ),
    ];
    const until = applied + CHANGES;
    for (let tries = 0; tries < 600 && applied < until; tries += 1) await wait(20);
    await wait(Math.random() * 100);
    await running.end("SIGKILL");
    stop.abort();
    await Promise.all(load);
    const state = await readAppliedState(dataDir);
    expect(state?.serial).toBeGreaterThanOrEqual(serial);
    serial = state?.serial ?? 0;
  }

  world.growing = false;
  const running = await startOrgLoop(project, env);
  const missing = () => {
    const arrived = new Set(arrivals.map(({ key }) => key));
    return [...answered, ...Array.from({ length: fed() }, (_, i) => `feed/${i + 1}`)].filter(
      (key) => !arrived.has(key),
    );
  };
  for (let tries = 0; tries < 600 && missing().length > 0; tries += 1) await wait(100);
  // The last page has arrived before its checkpoint is kept.
  let checkpoint = await checkpointOf(home);
  for (let tries = 0; tries < 100 && checkpoint !== fed(); tries += 1) {
    await wait(100);
    checkpoint = await checkpointOf(home);
  }
  expect(await running.end("SIGTERM")).toBe(0);
  expect(missing(), "acknowledged, and lost").toEqual([]);
  expect(checkpoint).toBe(fed());
  expect(applied).toBeGreaterThanOrEqual(KILLS * CHANGES);
  expect(answered.size).toBeGreaterThan(KILLS);
  process.stdout.write(
    `${KILLS} kills: ${applied} changes applied, ${answered.size} webhooks answered 200, ${fed()} polled, 0 lost\n`,
  );
});
