import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
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

/**
 * OrgLoop 0.7.9's command, where there is one: it is on no registry, but its tag v0.7.9 can be
 * built.
 */
const BEFORE = process.env.ORGLOOP_079;

interface Run {
  readonly ms: number;
  /**
   * User and system time, in ms, to within the last 5 ms of the process; NaN where there is no
   * /proc.
   */
  readonly cpuMs: number;
  /** Peak resident memory, in bytes; as above. */
  readonly peak: number;
  readonly code: number | null;
  readonly output: string;
}

/** What a process has used; undefined where it has ended, or there is no /proc. */
function usageOf(pid: number): Pick<Run, "cpuMs" | "peak"> | undefined {
  try {
    const [, kilobytes] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const [user, system] = fields.split(" ").slice(11, 13).map(Number);
    if (kilobytes === undefined) return undefined;
    return { cpuMs: ((user ?? 0) + (system ?? 0)) * 10, peak: Number(kilobytes) * 1024 };
  } catch {
    return undefined;
  }
}

/** Runs a script of Node from cold, as a process of its own. */
async function run(script: readonly string[], home: string): Promise<Run> {
  const env = {
    ...process.env,
    ...{ ORGLOOP_HOME: home, HOME: home, GITHUB_TOKEN: "t", AGENT_SECRET: "s" },
  };
  const started = performance.now();
  const child = spawn(process.execPath, script, { env, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  let usage = { cpuMs: Number.NaN, peak: Number.NaN };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const look = setInterval(() => {
    usage = usageOf(child.pid ?? 0) ?? usage;
  }, 5);
  const [code] = (await once(child, "close")) as [number | null];
  clearInterval(look);
  return { ms: performance.now() - started, ...usage, code, output };
}

const median = (numbers: readonly number[]) =>
  numbers.toSorted((left, right) => left - right)[Math.floor(numbers.length / 2)] ?? Number.NaN;

/** What is measured: `prepare` runs before each run and gives the home to use. */
interface Measured {
  readonly name: string;
  readonly script: readonly string[];
  readonly prepare: () => string;
}

/**
 * Runs each in turn, so that all meet the same machine; returns the medians in ms, NaN for what
 * fails.
 */
async function measure(all: readonly Measured[]): Promise<number[]> {
  const runs = all.map((): Run[] => []);
  for (let at = 0; at < RUNS; at++) {
    for (const [index, { script, prepare }] of all.entries()) {
      runs[index]?.push(await run(script, prepare()));
    }
  }
  return runs.map((done, index) => {
    const name = (all[index]?.name ?? "").padEnd(38);
    const failed = done.find(({ code }) => code !== 0);
    if (failed !== undefined) {
      say(`${name} exit ${failed.code}: ${failed.output.trim().split("\n")[0]}`);
      return Number.NaN;
    }
    const times = done.map(({ ms }) => ms);
    const range = `${Math.min(...times).toFixed(0)}-${Math.max(...times).toFixed(0)}`;
    const cpu = median(done.map(({ cpuMs }) => cpuMs)).toFixed(0);
    const peak = Math.max(...done.map((one) => one.peak)) / 1024 ** 2;
    say(
      `${name} median ${median(times).toFixed(0).padStart(5)} ms (${range}), CPU ${cpu} ms, resident ${peak.toFixed(0)} MiB`,
    );
    return median(times);
  });
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
  const times: string[] = [];
  for (const command of ["validate", "plan"]) {
    const script = [COMMAND, command, "--config", project];
    const all: Measured[] = [{ name: command, script, prepare: freshHome }];
    if (BEFORE !== undefined && size.layout === "flat") {
      const before = [BEFORE, command, "--config", path.join(project, "orgloop.yaml")];
      all.push({ name: `${command} of OrgLoop 0.7.9`, script: before, prepare: freshHome });
    }
    const [ours = Number.NaN, before] = await measure(all);
    if (before !== undefined) times.push(`${command} ${(ours / before).toFixed(2)} of 0.7.9's`);
  }
  if (times.length > 0) say(times.join("; "));
  rmSync(root, { recursive: true });
}

say(await describeMachine(tmpdir()));
say(`Commands from cold, each its own process; the median of ${RUNS} (and the range).`);
say(
  "Wanted in the same run: validate below OrgLoop 0.7.9's, plan at most 1.5 of its; resident below 250 MiB.",
);
const yardsticks = [{ name: "version", script: [COMMAND, "version"], prepare: tmpdir }];
if (BEFORE !== undefined) {
  yardsticks.push({
    name: "version of OrgLoop 0.7.9",
    script: [BEFORE, "version"],
    prepare: tmpdir,
  });
}
await measure(yardsticks);
await bench("In teams", FORTUNE_50);
await bench("Flat, as OrgLoop 0.7.9 reads it too", { ...FORTUNE_50, layout: "flat" });
