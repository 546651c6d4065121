import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { type RunningOrgLoop, startOrgLoop } from "../run-orgloop.ts";
import {
  checkpointOf,
  duplicates,
  sendWebhooks,
  sigkillWorld,
  unsettledIn,
} from "./sigkill-world.ts";

const KILLS = 30;
const SENDERS = 8;
test(`killed ${KILLS} times under load: nothing acknowledged is lost, what comes twice was in flight`, async () => {
  const { project, home, env, world, arrivals, fed, quiet } = await sigkillWorld();
  let sent = 0;
  const answered = new Set<string>();
  const next = () => {
    sent += 1;
    return sent;
  };

  const checkpoints: number[] = [];
  /**
   * Before each run: what the log does not call settled, so that it was on its way when the process
   * died.
   */
  const inFlight: ReadonlySet<string>[] = [];
  for (world.run = 0; world.run < KILLS; world.run += 1) {
    checkpoints.push(await checkpointOf(home));
    inFlight.push(await unsettledIn(home));
    const running = await startOrgLoop(project, env);
    const stop = new AbortController();
    const senders = Array.from({ length: SENDERS }, () =>
      sendWebhooks(running.url, next, answered, stop.signal),
    );
    await wait(50 + Math.random() * 500);
    await running.end("SIGKILL");
    stop.abort();
    await Promise.all(senders);
    await quiet();
  }

  // One last run, without load, until everything that was promised has arrived.
  world.growing = false;
  checkpoints.push(await checkpointOf(home));
  inFlight.push(await unsettledIn(home));
  const running: RunningOrgLoop = await startOrgLoop(project, env);
  const promised = () => {
    const arrived = new Set(arrivals.map(({ key }) => key));
    return [...answered, ...Array.from({ length: fed() }, (_, i) => `feed/${i + 1}`)].filter(
      (key) => !arrived.has(key),
    );
  };
  // What was kept and not answered was not promised, and is delivered all the same.
  const isOver = async () => promised().length === 0 && (await unsettledIn(home)).size === 0;
  for (let tries = 0; tries < 600 && !(await isOver()); tries += 1) await wait(100);
  const checkpoint = await checkpointOf(home);
  expect(await running.end("SIGTERM")).toBe(0);

  expect(promised(), "acknowledged, and lost").toEqual([]);
  expect(await unsettledIn(home), "delivered, and not settled").toEqual(new Set());
  expect(checkpoint).toBe(fed());
  expect(answered.size).toBeGreaterThan(KILLS * 10);

  const twice = duplicates(arrivals);
  for (const { key, run, again } of twice) {
    const [source, n] = key.split("/");
    // A page whose checkpoint had not moved was in flight as a whole: it is polled again.
    if (source === "feed" && Number(n) > (checkpoints[again] as number)) continue;
    expect(again, `${key} came twice in run ${run}`).toBeGreaterThan(run);
    expect(inFlight[again], `${key} was settled before run ${again} began`).toContain(key);
  }
  process.stdout.write(
    `${KILLS} kills: ${sent} webhooks sent, ${answered.size} answered 200, ${fed()} polled, 0 lost, ${twice.length} came twice, all of them in flight\n`,
  );
});
