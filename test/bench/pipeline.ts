import { createHmac } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Agent, createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { startOrgLoop } from "../run-orgloop.ts";
import { describeMachine } from "./machine.ts";

const SENDERS = 64;
const SECRET = "bench";
const SIZES = [10_000, 100_000];
const fixture = fileURLToPath(new URL("../fixtures/pipeline", import.meta.url));
const agent = new Agent({ keepAlive: true, maxSockets: SENDERS });

/** About 1 KB, as a small GitHub delivery. */
function bodyOf(number: number): string {
  return JSON.stringify({ action: "opened", number, title: "x".repeat(900) });
}

function post(url: string, body: string, headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.once("end", () => resolve(response.statusCode ?? 0));
    });
    sent.once("error", reject);
    sent.end(body);
  });
}

/** Counts what arrives; `until(n)` resolves with the n-th arrival. */
async function startReceiver() {
  let count = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let reached = (): void => {};
  const server = createServer((request, response) => {
    request.resume();
    request.once("end", () => {
      response.writeHead(204).end();
      count += 1;
      if (count >= wanted) reached();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    get count() {
      return count;
    },
    until: (total: number) =>
      new Promise<void>((resolve) => {
        wanted = total;
        reached = resolve;
        if (count >= wanted) resolve();
      }),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
}

/**
 * Sends numbers `from`..`to`, `SENDERS` at a time, each when the one before was answered 200; 503
 * is tried again.
 */
async function sendAll(url: string, from: number, to: number): Promise<void> {
  let next = from;
  const sender = async () => {
    while (next < to) {
      const number = next;
      next += 1;
      const body = bodyOf(number);
      const signature = createHmac("sha256", SECRET).update(body).digest("hex");
      const headers = {
        "content-type": "application/json",
        "x-hub-signature-256": `sha256=${signature}`,
        "x-github-delivery": String(number),
      };
      for (;;) {
        const status = await post(url, body, headers);
        if (status === 200) break;
        if (status !== 503) throw new Error(`the webhook answered ${status}`);
      }
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
}

/** Deliveries a second of `total` events, in tenths, and the resident memory after each. */
async function measure(total: number) {
  const home = await mkdtemp(path.join(tmpdir(), "orgloop-bench-"));
  const receiver = await startReceiver();
  const running = await startOrgLoop(fixture, {
    ORGLOOP_HOME: home,
    HOOK_SECRET: SECRET,
    RECEIVER_URL: receiver.url,
  });
  const pid = running.child.pid as number;
  await sendAll(`${running.url}/webhook/hook`, -2_000, 0);
  await receiver.until(2_000);
  const rates: number[] = [];
  const memory: number[] = [];
  const startedMs = performance.now();
  for (let tenth = 0; tenth < 10; tenth += 1) {
    const fromMs = performance.now();
    await sendAll(`${running.url}/webhook/hook`, (tenth * total) / 10, ((tenth + 1) * total) / 10);
    await receiver.until(2_000 + ((tenth + 1) * total) / 10);
    rates.push(total / 10 / ((performance.now() - fromMs) / 1_000));
    memory.push(await residentMb(pid));
  }
  const rate = total / ((performance.now() - startedMs) / 1_000);
  await running.end("SIGTERM");
  receiver.close();
  await rm(home, { recursive: true, force: true });
  return { rate, rates, memory };
}

/**
 * The yardstick: a bare Node server that takes the same requests and posts them on, without log,
 * routing or order.
 */
async function relayRate(total: number): Promise<number> {
  const receiver = await startReceiver();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const relayed = await fetch(receiver.url, { method: "POST", body: Buffer.concat(chunks) });
    await relayed.body?.cancel();
    response.writeHead(200).end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  await sendAll(url, 0, total / 5);
  const fromMs = performance.now();
  await sendAll(url, 0, total);
  const rate = total / ((performance.now() - fromMs) / 1_000);
  server.close();
  server.closeAllConnections();
  receiver.close();
  return rate;
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const say = (line: string) => process.stdout.write(`${line}\n`);

say(await describeMachine());
say(
  "webhook (signed, 1 KB) → WAL (fdatasync) → route → dedup → HTTP actor; load, actor and OrgLoop on this machine",
);
const relay = await relayRate(10_000);
say(`bare relay, all in one process:      ${Math.round(relay)}/s`);
const overall: number[] = [];
for (const total of SIZES) {
  const { rate, rates, memory } = await measure(total);
  overall.push(rate);
  const early = median(rates.slice(0, 5));
  const late = median(rates.slice(5));
  say(
    `${String(total).padStart(7)} events: ${Math.round(rate)} delivered/s (${(rate / relay).toFixed(2)} of the relay); ` +
      `second half / first half ${(late / early).toFixed(2)}; resident ${memory[0]} MB after a tenth, ${memory.at(-1)} MB at the end`,
  );
}
const ratio = (overall[1] as number) / (overall[0] as number);
say(
  `rate at 100,000 / rate at 10,000: ${ratio.toFixed(2)} (target: it does not fall, ≥ 0.9: ${ratio >= 0.9 ? "met" : "missed"})`,
);
agent.destroy();
