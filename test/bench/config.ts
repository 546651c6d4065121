import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { type EnterpriseSize, FORTUNE_50, writeEnterprise } from "@orgloop/testkit";
import { describeMachine } from "./machine.ts";

const RUNS = 7;
const require = createRequire(import.meta.url);
const PACKAGE = require.resolve("@orgloop/cli/package.json");
const COMMAND = path.join(path.dirname(PACKAGE), require(PACKAGE).bin.orgloop);

const say = (line: string) => process.stdout.write(`${line}\n`);

interface Run {
  readonly ms: number;
  /** Peak resident memory, in bytes, to within the last 5 ms of the process; NaN where there is no /proc. */
  readonly peak: number;
  readonly code: number | null;
  readonly output: string;
}

function residentPeak(pid: number): number {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return Number(kilobytes) * 1024;
  } catch {
    return Number.NaN;
  }
}

/** Runs `orgloop` from cold, as a process of its own. */
async function run(args: readonly string[], home: string): Promise<Run> {
  const env = { ...process.env, ORGLOOP_HOME: home, GITHUB_TOKEN: "t", AGENT_SECRET: "s" };
  const started = performance.now();
  const child = spawn(process.execPath, [COMMAND, ...args], {
    env,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  let peak = Number.NaN;
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const look = setInterval(() => {
    const now = residentPeak(child.pid ?? 0);
    if (now > 0) peak = now;
  }, 5);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(look);
  return { ms: performance.now() - started, peak, code, output };
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** `prepare` runs before each run and gives the home to use. */
async function measure(
  name: string,
  args: readonly string[],
  prepare: () => string,
): Promise<void> {
  const runs: Run[] = [];
  for (let at = 0; at < RUNS; at++) {
    const one = await run(args, prepare());
    if (one.code !== 0) {
      say(`${name.padEnd(34)} exit ${one.code}: ${one.output.trim().split("\n")[0]}`);
      return;
    }
    runs.push(one);
  }
  const times = runs.map(({ ms }) => ms);
  const range = `${Math.min(...times).toFixed(0)}-${Math.max(...times).toFixed(0)}`;
  const peak = Math.max(...runs.map((one) => one.peak)) / 1024 ** 2;
  say(
    `${name.padEnd(34)} median ${median(times).toFixed(0).padStart(5)} ms (${range}), resident ${peak.toFixed(0)} MiB`,
  );
}

function sizeOf(directory: string): string {
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const bytes = files.reduce(
    (sum, file) => sum + statSync(path.join(file.parentPath, file.name)).size,
    0,
  );
  return `${files.length} files, ${(bytes / 1e6).toFixed(1)} MB`;
}

async function bench(title: string, size: EnterpriseSize): Promise<void> {
  const root = mkdtempSync(path.join(tmpdir(), "orgloop-bench-config-"));
  const project = path.join(root, "project");
  writeEnterprise(project, size);
  const { sources, actors, routes } = size;
  say(`\n${title}: ${sources} sources, ${actors} actors, ${routes} routes; ${sizeOf(project)}`);
  const freshHome = () => mkdtempSync(path.join(root, "home-"));
  const usedHome = freshHome();
  const changed = readdirSync(project, { recursive: true, encoding: "utf8" }).find((file) =>
    /routes.*\.yaml$/.test(file),
  );
  const changeOneFile = () => {
    appendFileSync(path.join(project, changed ?? ""), "# changed\n");
    return usedHome;
  };
  for (const command of ["validate", "plan"]) {
    const args = [command, "--config", project];
    await measure(`${command}, never seen before`, args, freshHome);
    await run(args, usedHome);
    await measure(`${command} again, one file changed`, args, changeOneFile);
  }
  rmSync(root, { recursive: true });
}

say(await describeMachine(tmpdir()));
say(`Commands from cold, each its own process; the median of ${RUNS} (and the range).`);
await measure("version", ["version"], tmpdir);
await bench("In teams", FORTUNE_50);
await bench("Flat, as OrgLoop 0.7.9 reads it too", { ...FORTUNE_50, layout: "flat" });
