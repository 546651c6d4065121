import { createHmac } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { expect, test } from "vitest";
import { startOrgLoop } from "../run-orgloop.ts";
import { sigkillWorld } from "./sigkill-world.ts";

const KILLS = 8;
const SENDERS = 6;
const AGAIN = 150;

/**
 * One delivery as GitHub sends it, the same each time; its repeats, or null where it was not
 * answered 200.
 */
async function send(url: string, n: number): Promise<readonly string[] | null> {
  const body = JSON.stringify({ n });
  const signature = createHmac("sha256", "s3cret").update(body).digest("hex");
  const headers = { "x-hub-signature-256": `sha256=${signature}`, "x-github-delivery": `d${n}` };
  try {
    const response = await fetch(`${url}/webhook/hook`, { method: "POST", headers, body });
    const { repeats = [] } = (await response.json()) as { repeats?: readonly string[] };
    return response.ok ? repeats : null;
  } catch {
    return null;
  }
}

test(`killed ${KILLS} times between publishing and remembering: what was answered is known when it is sent again`, async () => {
  const { project, env, world } = await sigkillWorld();
  world.growing = false;
  let sent = 0;
  const answered: number[] = [];
  let checked = 0;

  async function sendUntil(url: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      sent += 1;
      const n = sent;
      if ((await send(url, n)) !== null) answered.push(n);
    }
  }

  for (let run = 0; run <= KILLS; run += 1) {
    const running = await startOrgLoop(project, env);
    const last = answered.slice(-AGAIN);
    const older = answered.slice(0, AGAIN);
    for (const n of new Set([...last, ...older])) {
      expect(await send(running.url, n), `delivery ${n} in run ${run}`).toHaveLength(1);
      checked += 1;
    }
    if (run === KILLS) {
      expect(await running.end("SIGTERM")).toBe(0);
      break;
    }
    const stop = new AbortController();
    const senders = Array.from({ length: SENDERS }, () => sendUntil(running.url, stop.signal));
    await wait(50 + Math.random() * 400);
    await running.end("SIGKILL");
    stop.abort();
    await Promise.all(senders);
  }
  console.log(`repeats-sigkill: ${answered.length} answered, ${checked} sent again`);
  expect(checked).toBeGreaterThan(KILLS * 10);
});
