import { setTimeout as wait } from "node:timers/promises";
import { orgloop, type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import type { Campaign } from "./campaign.ts";
import { type ClockWorld, clockWorld, ROUTES } from "./clock-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [-DAY, -HOUR, -10 * MINUTE, -5_000, 5_000, 10 * MINUTE, HOUR, DAY];
/** No policy of the project allows a wait of over a second; a machine may be busy for longer. */
const PATIENCE_MS = 30_000;
const WEBHOOKS = 8;
const ROUNDS_BETWEEN_RESTARTS = 5;
/** Of `rated`, in a second: twice what it allows, as arrivals bunch on a busy machine. */
const MAX_A_SECOND = 2 * 20 + 2;

/**
 * Sets the clock of the machine under the real process again and again, back and on, while
 * webhooks, polls and ticks come and actors are ill or ask to wait; now and then the process is
 * restarted under a clock that was set. Nothing stops for longer than its policy allows, nothing
 * floods, nothing becomes too old, and a tick comes once.
 */
export const campaign: Campaign = async (more) => {
  const world = await clockWorld();
  const faults: string[] = [];
  let sent = 0;
  let steps = 0;
  let restarts = 0;
  const begunMs = performance.now();
  let running: RunningOrgLoop | undefined;
  try {
    do {
      running ??= await startOrgLoop(world.project, world.env);
      const posted: number[] = [];
      for (let n = 0; n < WEBHOOKS; n += 1) {
        if (n % 4 === 1) {
          await world.set(stepped(world.aheadMs));
          steps += 1;
        }
        sent += 1;
        if (await world.post(running.url, sent)) posted.push(sent);
        else faults.push(`webhook ${sent} was not answered 200`);
        await wait(Math.random() * 20);
      }
      faults.push(...(await stopped(world, posted, steps)));
      if (steps % (2 * ROUNDS_BETWEEN_RESTARTS) === 0) {
        await running.end("SIGTERM");
        running = undefined;
        restarts += 1;
      }
    } while (more() && faults.length === 0);
    await running?.end("SIGTERM");
    running = undefined;
    const elapsedMs = performance.now() - begunMs;
    faults.push(...floods(world), ...ticksOf(world, elapsedMs, restarts));
    faults.push(...(await buried(world)));
    const polled = [...(world.accepted.get("plain")?.keys() ?? [])].length - sent;
    const said = `${steps} steps of the clock, ${restarts} restarts, ${sent} webhooks on ${ROUTES.length} routes, ${polled} polled, ${world.ticks.length} ticks`;
    return { said, faults };
  } finally {
    await running?.end("SIGKILL");
    await world.close();
  }
};

/** A step on from there, within two days of the right time. */
function stepped(aheadMs: number): number {
  const step = STEPS[Math.floor(Math.random() * STEPS.length)] as number;
  const next = Math.random() < 0.2 ? 0 : aheadMs + step;
  return Math.abs(next) > 2 * DAY ? 0 : next;
}

/** What has not come within what its policy allows. */
async function stopped(
  world: ClockWorld,
  posted: readonly number[],
  steps: number,
): Promise<string[]> {
  const ticks = world.ticks.length;
  const polled = world.accepted.get("plain")?.size ?? 0;
  const missing = (): string[] => [
    ...ROUTES.flatMap((route) =>
      posted
        .filter((n) => world.accepted.get(route)?.has(`hook/${n}`) !== true)
        .map((n) => `${route} hook/${n}`),
    ),
    ...(world.ticks.length > ticks ? [] : ["a tick of every second"]),
    ...((world.accepted.get("plain")?.size ?? 0) > polled ? [] : ["a poll"]),
  ];
  const untilMs = performance.now() + PATIENCE_MS;
  while (missing().length > 0 && performance.now() < untilMs) await wait(20);
  return missing().map((one) => `stopped: ${one}, ${world.aheadMs} ms ahead, after ${steps} steps`);
}

function floods(world: ClockWorld): string[] {
  const times = [...(world.accepted.get("rated")?.values() ?? [])].sort((a, b) => a - b);
  const flood = times.find((atMs, at) => atMs - (times[at - MAX_A_SECOND] ?? -1_000) < 1_000);
  return flood === undefined ? [] : ["flood: the rate let too many through in a second"];
}

function ticksOf({ ticks }: ClockWorld, elapsedMs: number, restarts: number): string[] {
  const ids = ticks.map(({ id }) => id);
  const twice = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `tick twice: ${id}`);
  const seconds = ticks.filter(({ schedule }) => schedule === "second").length;
  // A start makes up for the tick that was missed meanwhile.
  const most = elapsedMs / 1_000 + 2 * restarts + 3;
  return seconds > most ? [...twice, `flood: ${seconds} ticks in ${elapsedMs} ms`] : twice;
}

async function buried({ project, env }: ClockWorld): Promise<string[]> {
  const { stdout } = await orgloop(["dead-letters", "list", "--json", "-c", project], env);
  const letters = JSON.parse(stdout) as { readonly event_id: string; readonly reason: string }[];
  return letters.map(({ event_id, reason }) => `dead letter: ${event_id} ${reason}`);
}
