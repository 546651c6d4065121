import { setTimeout as wait } from "node:timers/promises";
import { orgloop, startOrgLoop } from "../run-orgloop.ts";
import type { Campaign } from "./campaign.ts";
import {
  type Arrival,
  type CrashWorld,
  checkpointOf,
  crashWorld,
  routesOf,
  unsettledDeliveries,
} from "./crash-world.ts";

/** How long the last run may stand still before what it has not brought counts as lost. */
const PATIENCE_MS = 60_000;

/** As `dead-letters list --json` has it. */
interface Letter {
  readonly event_id: string;
  /** Null: the event as a whole. */
  readonly route: string | null;
}

interface BeforeRun {
  /** How far the feed's checkpoint had moved. */
  readonly checkpoint: number;
  /** Deliveries that the log did not call settled: in flight when the process died. */
  readonly inFlight: ReadonlySet<string>;
}

/**
 * Kills the real process again and again under every kind of load: webhooks, which are sent again
 * at times, a feed, actors that are ill, refuse or are slow, inboxes, rotation and compaction.
 * Nothing that was acknowledged is lost without a dead letter; what comes twice was in flight; what
 * its sender sent again comes once; order per key holds.
 */
export const campaign: Campaign = async (more) => {
  const world = await crashWorld();
  const runs: BeforeRun[] = [];
  const before = async (): Promise<void> => {
    const [checkpoint, inFlight] = await Promise.all([
      checkpointOf(world.home),
      unsettledDeliveries(world.home),
    ]);
    runs.push({ checkpoint, inFlight });
  };
  try {
    do {
      await before();
      const running = await startOrgLoop(world.project, world.env);
      const stop = new AbortController();
      const load = world.load(running.url, stop.signal);
      await wait(30 + Math.random() * 600);
      await running.end("SIGKILL");
      stop.abort();
      await load;
      await world.quiet();
      world.state.run += 1;
    } while (more());
    await before();
    const letters = await lastRun(world);
    const faults = [
      ...lostIn(world, letters),
      ...repeatedIn(world, runs),
      ...disorderIn(world.arrivals),
    ];
    const said = [
      `${world.state.run} kills`,
      `${world.answered.size} of ${world.sent()} webhooks answered 200 and ${world.resent()} sent again`,
      `${world.fed()} polled`,
      `${world.arrivals.length} arrivals`,
      `${letters.length} dead letters`,
    ].join(", ");
    return { said, faults };
  } finally {
    await world.close();
  }
};

/**
 * A run without load, with actors that are well, until everything has arrived and the inboxes are
 * empty.
 */
async function lastRun(world: CrashWorld): Promise<readonly Letter[]> {
  world.state.ill = false;
  world.state.growing = false;
  const running = await startOrgLoop(world.project, world.env);
  let least = Number.POSITIVE_INFINITY;
  let deadline = 0;
  for (;;) {
    const { unacked } = (await (await fetch(`${running.url}/api/status`)).json()) as {
      unacked: number;
    };
    const drained = await world.drain(running.url, 500);
    if (unacked === 0 && drained === 0 && (await checkpointOf(world.home)) === world.fed()) break;
    if (unacked < least || drained > 0) deadline = performance.now() + PATIENCE_MS;
    least = Math.min(least, unacked);
    if (performance.now() > deadline) break;
    await wait(50);
  }
  await running.end("SIGTERM");
  const { stdout } = await orgloop(
    ["dead-letters", "list", "--json", "-c", world.project],
    world.env,
  );
  return JSON.parse(stdout) as Letter[];
}

function lostIn(world: CrashWorld, letters: readonly Letter[]): readonly string[] {
  const numbers = new Map([...world.answered].map(([n, id]) => [id, n]));
  const found = new Set(world.arrivals.map(({ route, key }) => `${route} ${key}`));
  for (const { route, event_id } of letters) {
    const n = numbers.get(event_id);
    if (n === undefined) continue;
    for (const name of route === null ? routesOf(n) : [route]) found.add(`${name} hook/${n}`);
  }
  const promised = [...world.answered.keys()].flatMap((n) =>
    routesOf(n).map((route) => `${route} hook/${n}`),
  );
  for (let n = 1; n <= world.fed(); n += 1) promised.push(`plain feed/${n}`);
  return promised.filter((one) => !found.has(one)).map((one) => `lost: ${one}`);
}

/** What arrived again although it was not in flight when a process died. */
function repeatedIn({ arrivals }: CrashWorld, runs: readonly BeforeRun[]): readonly string[] {
  const last = new Map<string, number>();
  return arrivals.flatMap(({ route, key, run }) => {
    const one = `${route} ${key}`;
    const earlier = last.get(one);
    last.set(one, run);
    if (earlier === undefined) return [];
    const [source, n] = key.split("/");
    const { inFlight, checkpoint } = runs[run] as BeforeRun;
    // An answer of an inbox that was cut off in between comes again, and is no delivery of the
    // log's. An entry whose delivery the log had not called settled may be drained before the log
    // brings it again.
    if (route === "inbox" && (run > earlier || inFlight.has(one))) return [];
    // A page is polled again as a whole where its checkpoint had not moved.
    if (run > earlier && source === "feed" && Number(n) > checkpoint) return [];
    if (run > earlier && inFlight.has(one)) return [];
    return [`repeated: ${one} came in run ${earlier} and again in run ${run}`];
  });
}

/**
 * First arrivals of the ordered route, by its key; polled events have none and follow their source.
 */
function disorderIn(arrivals: readonly Arrival[]): readonly string[] {
  const seen = new Set<string>();
  const highest = new Map<string, number>();
  return arrivals.flatMap(({ route, key, orderingKey }) => {
    if (route !== "plain" || seen.has(key)) return [];
    seen.add(key);
    const [source, n] = key.split("/");
    const lane = `${source} ${String(orderingKey)}`;
    const before = highest.get(lane) ?? 0;
    highest.set(lane, Math.max(before, Number(n)));
    return Number(n) < before ? [`out of order: ${key} after ${source}/${before}`] : [];
  });
}
