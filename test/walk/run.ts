import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import { functionsJourney } from "./functions-journey.ts";
import type { Journey } from "./journey.ts";
import { processJourney } from "./process-journey.ts";
import { traceCalls } from "./trace-calls.ts";

/*
 * `npm run walk [-- process | functions]`: sends one event all the way and prints our files in
 * which a function ran for it, in order of first call. What is loaded or made once comes with an
 * event before it.
 */
const ROOT = path.resolve(import.meta.dirname, "../..");
const JOURNEYS = { process: processJourney, functions: functionsJourney };
/** What an event leaves to be done when it has arrived (acks, records, log) is done by then. */
const AFTERWARDS_MS = 500;

/** Node says where its inspector listens. */
async function inspectorOf(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error("nothing to read from");
  for await (const line of createInterface(child.stderr)) {
    const url = /ws:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) return url;
    process.stderr.write(`${line}\n`);
  }
  throw new Error("the process has ended");
}

async function walk({ title, args, env, ready, send }: Journey): Promise<void> {
  const child = spawn(process.execPath, ["--inspect=127.0.0.1:0", ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  const exited = once(child, "exit");
  const isReady = ready(child);
  const calls = await traceCalls(await inspectorOf(child));
  const sent = async (number: number): Promise<void> => {
    await send(child, number);
    await wait(AFTERWARDS_MS);
  };
  try {
    await isReady;
    await sent(1);
    await calls.take();
    await sent(2);
    const files = (await calls.take()).filter(({ file }) => isOurs(file));
    await calls.watch(files);
    await sent(3);
    report(title, files, await calls.order());
  } finally {
    calls.close();
    child.kill("SIGTERM");
    await exited;
  }
}

function report(
  title: string,
  files: readonly { readonly file: string }[],
  order: readonly (readonly [string, string])[],
): void {
  const called = new Set(order.map(([file]) => file));
  const others = files.filter(({ file }) => !called.has(file)).map(({ file }) => [file, "?"]);
  process.stdout.write(`${title}: ${files.length} files\n`);
  for (const [index, [file = "", name]] of [...order, ...others].entries()) {
    const shown = path.relative(ROOT, file).padEnd(60);
    process.stdout.write(`${String(index + 1).padStart(4)}  ${shown} ${name}\n`);
  }
}

/** Without what stands around it: the tests, and what only they use. */
const isOurs = (file: string): boolean =>
  /^packages\/(?!testkit\/)/.test(path.relative(ROOT, file));

const [only] = process.argv.slice(2);
for (const [name, open] of Object.entries(JOURNEYS)) {
  if (only !== undefined && only !== name) continue;
  const journey = await open();
  try {
    await walk(journey);
  } finally {
    await journey.end();
  }
}
