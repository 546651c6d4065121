import { cp, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import { type Campaign, KEPT_HERE } from "./campaign.ts";
import { type CrashFacts, disorderIn, lostIn, repeatsIn } from "./crash-promises.ts";
import { checkpointOf, type LeftState, type Letter, leftState } from "./crash-state.ts";
import { type CrashWorld, crashWorld } from "./crash-world.ts";
import { asJson, keepFault } from "./keep-fault.ts";

/** How long the last run may stand still before what it has not brought counts as lost. */
const PATIENCE_MS = 60_000;

/**
 * Kills the real process again and again under every kind of load: webhooks, which are sent again
 * at times, a feed, actors that are ill, refuse or are slow, inboxes, rotation and compaction.
 * Nothing that was acknowledged is lost without a dead letter; what comes twice was in flight; what
 * its sender sent again comes once; order per key holds. Each is looked at after every kill, and
 * the first fault ends the campaign, so that its data directory still shows it.
 */
export const campaign: Campaign = async (more, keepIn = KEPT_HERE) => {
  const world = await crashWorld();
  const { arrivals, sentIn, answered } = world;
  const left: LeftState[] = [];
  const look = async (): Promise<void> => {
    const before = left.at(-1);
    if (before !== undefined) left[left.length - 1] = { ...before, letters: [] };
    left.push(await leftState(world.home));
  };
  await look();
  const facts: CrashFacts = { arrivals, sentIn, answered, left };
  const last = { output: [] as readonly string[], letters: [] as readonly Letter[] };
  let faults: readonly string[] = [];
  try {
    do {
      await putAside(world);
      const running = await startOrgLoop(world.project, world.env);
      last.output = running.lines;
      await killUnderLoad(world, running);
      world.state.run += 1;
      await look();
      faults = brokenBy(facts);
    } while (more() && faults.length === 0);
    if (faults.length === 0) {
      await putAside(world);
      last.output = await lastRun(world);
      await look();
      faults = [...brokenBy(facts), ...notEnded(world, facts)];
      last.letters = await listLetters(world);
    }
    const kept =
      faults.length === 0
        ? []
        : [await keepFault(keepIn, "crash", faults, (to) => keep(to, world, facts, last.output))];
    return { said: saidOf(world, facts, last.letters.length), faults, kept };
  } finally {
    await world.close();
  }
};

async function killUnderLoad(world: CrashWorld, running: RunningOrgLoop): Promise<void> {
  const stop = new AbortController();
  const load = world.load(running.url, stop.signal);
  await wait(30 + Math.random() * 600);
  await running.end("SIGKILL");
  stop.abort();
  await load;
  await world.quiet();
}

const brokenBy = (facts: CrashFacts): readonly string[] => [
  ...lostIn(facts),
  ...repeatsIn(facts).faults,
  ...disorderIn(facts.arrivals),
];

const beforeLastRun = ({ directory }: CrashWorld) => path.join(directory, "before-last-run");

/** The data directory as the next run will find it. */
async function putAside(world: CrashWorld): Promise<void> {
  const to = beforeLastRun(world);
  await rm(to, { recursive: true, force: true });
  await cp(path.join(world.home, "data"), to, { recursive: true }).catch(() => undefined);
}

/** The data directory before and after the run, all that is known, and what the process said. */
async function keep(
  folder: string,
  world: CrashWorld,
  facts: CrashFacts,
  output: readonly string[],
): Promise<void> {
  await cp(world.home, path.join(folder, "home"), { recursive: true });
  await cp(beforeLastRun(world), path.join(folder, "data-before-last-run"), {
    recursive: true,
  }).catch(() => undefined);
  await writeFile(path.join(folder, "facts.json"), asJson(facts));
  await writeFile(path.join(folder, "output-of-last-run.log"), `${output.join("\n")}\n`);
}

/**
 * A run without load, with actors that are well, until everything has arrived and the inboxes are
 * empty. Returns its output.
 */
async function lastRun(world: CrashWorld): Promise<readonly string[]> {
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
  return running.lines;
}

/** What the last run should have brought to its end. */
function notEnded(world: CrashWorld, { left }: CrashFacts): readonly string[] {
  const { checkpoint, unsettled, inbox } = left.at(-1) as LeftState;
  const waiting = [...unsettled, ...inbox].map((one) => `stopped: ${one} never came to its end`);
  const fed = world.fed();
  return checkpoint === fed
    ? waiting
    : [...waiting, `stopped: the feed at ${checkpoint} of ${fed}`];
}

async function listLetters({ project, env }: CrashWorld): Promise<readonly Letter[]> {
  const { stdout } = await orgloop(["dead-letters", "list", "--json", "-c", project], env);
  return JSON.parse(stdout) as Letter[];
}

function saidOf(world: CrashWorld, facts: CrashFacts, letters: number): string {
  const { unsettled, drainedAnew, twiceInARun } = repeatsIn(facts);
  return [
    `${world.state.run} kills`,
    `${world.answered.size} of ${world.sentIn.size} webhooks answered 200 and ${world.resent()} sent again`,
    `${world.fed()} polled`,
    `${world.arrivals.length} arrivals`,
    `of which came again ${unsettled} unsettled and ${drainedAnew} drained and not yet removed, ${twiceInARun} twice in a run, unsettled and in their inbox`,
    `${letters} dead letters`,
  ].join(", ");
}
