import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startOrgLoop } from "../run-orgloop.ts";
import { describeMachine } from "./machine.ts";
import { processUse } from "./pipeline/process-use.ts";
import { startReceiver } from "./pipeline/receiver.ts";
import { SECRET, WebhookLoad } from "./pipeline/webhook-load.ts";

/*
 * `npm run bench -- pipeline [EVENTS…]`: signed webhooks of 1 KB through OrgLoop to an HTTP actor,
 * beside two relays of plain Node that do as little as one can (`pipeline/relay.ts`). Each size is
 * run once through each, in turn.
 */
const WARM_UP = 2_000;
const TENTHS = 10;
const sizes = process.argv.slice(3).map(Number);
const SIZES = sizes.length > 0 ? sizes : [10_000, 10_000, 10_000, 100_000];
const project = fileURLToPath(new URL("../fixtures/pipeline", import.meta.url));
const relay = fileURLToPath(new URL("pipeline/relay.ts", import.meta.url));
const load = new WebhookLoad();

interface Subject {
  readonly child: ChildProcess;
  readonly url: string;
}
type Start = (receiverUrl: string, home: string) => Promise<Subject>;

async function startRelay(receiverUrl: string, ...log: string[]): Promise<Subject> {
  const child = spawn(process.execPath, [relay, receiverUrl, ...log], {
    env: { ...process.env, HOOK_SECRET: SECRET },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  return { child, url };
}

const SUBJECTS: Record<string, Start> = {
  "bare relay": (receiverUrl) => startRelay(receiverUrl),
  "durable relay": (receiverUrl, home) => startRelay(receiverUrl, path.join(home, "log")),
  orgloop: async (receiverUrl, home) => {
    const env = { ORGLOOP_HOME: home, HOOK_SECRET: SECRET, RECEIVER_URL: receiverUrl };
    const { child, url } = await startOrgLoop(project, env);
    return { child, url: `${url}/webhook/hook` };
  },
};

interface Measured {
  /** Delivered events a second: over all, and of the second half over the first. */
  readonly rate: number;
  readonly flatness: number;
  readonly cpuUs: number;
  readonly residentMb: number;
}

async function measure(start: Start, total: number): Promise<Measured> {
  const home = await mkdtemp(path.join(tmpdir(), "orgloop-bench-"));
  const receiver = await startReceiver();
  const { child, url } = await start(receiver.url, home);
  const pid = child.pid as number;
  await load.send(url, -WARM_UP, 0);
  await receiver.until(WARM_UP);
  const before = await processUse(pid);
  const times = [performance.now()];
  for (let tenth = 1; tenth <= TENTHS; tenth += 1) {
    await load.send(url, ((tenth - 1) * total) / TENTHS, (tenth * total) / TENTHS);
    await receiver.until(WARM_UP + (tenth * total) / TENTHS);
    times.push(performance.now());
  }
  const after = await processUse(pid);
  const [startedMs = 0, halfMs = 0, endedMs = 0] = [times[0], times[TENTHS / 2], times[TENTHS]];
  child.kill("SIGTERM");
  await once(child, "exit");
  receiver.close();
  await rm(home, { recursive: true, force: true });
  return {
    rate: total / ((endedMs - startedMs) / 1_000),
    flatness: (halfMs - startedMs) / (endedMs - halfMs),
    cpuUs: (after.cpuUs - before.cpuUs) / total,
    residentMb: after.residentMb,
  };
}

const say = (line: string) => process.stdout.write(`${line}\n`);
const judge = (isMet: boolean) => (isMet ? "met" : "missed");

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

say(await describeMachine());
say("webhook (signed, 1 KB) → WAL (fdatasync) → route → dedup → HTTP actor; all on this machine");
const rateRatios: number[] = [];
const cpuRatios: number[] = [];
const orgloop: (Measured & { total: number })[] = [];
for (const total of SIZES) {
  const round: Record<string, Measured> = {};
  for (const [name, start] of Object.entries(SUBJECTS)) {
    const one = await measure(start, total);
    round[name] = one;
    say(
      `${String(total).padStart(7)} events, ${name.padEnd(13)}: ${String(Math.round(one.rate)).padStart(5)}/s, ` +
        `${String(Math.round(one.cpuUs)).padStart(4)} us of CPU an event, ${one.residentMb} MB, ` +
        `second half / first half ${one.flatness.toFixed(2)}`,
    );
  }
  const [durable, ours] = [round["durable relay"] as Measured, round.orgloop as Measured];
  rateRatios.push(ours.rate / durable.rate);
  cpuRatios.push(ours.cpuUs / durable.cpuUs);
  orgloop.push({ ...ours, total });
}
load.close();
const rate = median(rateRatios);
const cpu = median(cpuRatios);
const smallest = median(
  orgloop.filter((one) => one.total === Math.min(...SIZES)).map((one) => one.rate),
);
const largest = median(
  orgloop.filter((one) => one.total === Math.max(...SIZES)).map((one) => one.rate),
);
const flat = largest / smallest;
const resident = Math.max(...orgloop.map((one) => one.residentMb));
say(
  `orgloop / durable relay, medians: ${rate.toFixed(2)} of its events/s (target ≥ 0.4: ${judge(rate >= 0.4)}),`,
);
say(`  ${cpu.toFixed(2)} × its CPU an event (target ≤ 2.5: ${judge(cpu <= 2.5)})`);
say(
  `rate at the most / at the fewest events: ${flat.toFixed(2)} (target ≥ 0.9: ${judge(flat >= 0.9)})`,
);
say(`resident at most ${resident} MB (target ≤ 250: ${judge(resident <= 250)})`);
