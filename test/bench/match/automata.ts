import { execFile, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { type Filter, isMapping, messageOf, type RouteSpec } from "@orgloop/sdk";
import { eventRuler } from "../../emulators/event-ruler.ts";
import { filledOnce } from "../../emulators/filled-once.ts";

/** What an automaton did with the same routes and events, JSON parsing included. */
export interface Measured {
  readonly compileMs: number;
  readonly usPerEvent: number;
  /** Routes matched, of all events together. */
  readonly matched: number;
}

export interface Automaton {
  readonly name: string;
  /** Rejects with the reason: a pattern that it does not take, or no answer in time. */
  measure(routes: readonly RouteSpec[], events: readonly string[]): Promise<Measured>;
}

const run = promisify(execFile);
const HERE = import.meta.dirname;
const PATIENCE_MS = 30_000;

/** Those that this machine has; `say` is told why another is left out. */
export async function automata(say: (line: string) => void): Promise<readonly Automaton[]> {
  const all = await Promise.allSettled([quamina(), ruler()]);
  return all.flatMap((one) => {
    if (one.status === "fulfilled") return [one.value];
    say(`left out: ${messageOf(one.reason)}`);
    return [];
  });
}

/**
 * Built by Go from the module of that name; or from the checkout that `QUAMINA` names, where the
 * module proxy does not have it.
 */
async function quamina(): Promise<Automaton> {
  const source = path.join(HERE, "quamina");
  const checkout = process.env.QUAMINA;
  const files = ["go.mod", "main.go"];
  const texts = files.map((file) => readFileSync(path.join(source, file), "utf8"));
  const recipe = [checkout ?? "", ...texts].join("\n");
  const built = await filledOnce("quamina", recipe, async (cwd) => {
    for (const file of files) copyFileSync(path.join(source, file), path.join(cwd, file));
    try {
      if (checkout !== undefined) {
        const replaced = `quamina.net/go/quamina/v2=${path.resolve(checkout)}`;
        await run("go", ["mod", "edit", "-replace", replaced], { cwd });
      }
      await run("go", ["mod", "tidy"], { cwd });
      await run("go", ["build", "-o", "match", "."], { cwd });
    } catch (cause) {
      const message = "quamina: it needs Go, and its module within reach or QUAMINA=CHECKOUT";
      throw new Error(message, { cause });
    }
  });
  const withoutRanges = (pattern: string) => {
    if (!pattern.includes('"numeric"')) return pattern;
    throw new Error("it has no numeric ranges");
  };
  return {
    name: "quamina",
    measure: (routes, events) => {
      const patterns = routes.map((route) => withoutRanges(patternOf(route, true)));
      return measure([path.join(built, "match")], patterns, events);
    },
  };
}

async function ruler(): Promise<Automaton> {
  const classpath = await eventRuler();
  return {
    name: "event-ruler",
    measure: (routes, events) =>
      measure(
        ["java", "-Xmx3g", "-cp", classpath, "Bench"],
        routes.map((one) => patternOf(one)),
        events,
      ),
  };
}

/**
 * A route as an event pattern. One that names all sources leaves out the source, as whoever writes
 * patterns would. `suffixless`: a suffix is a wildcard.
 */
function patternOf({ when }: RouteSpec, suffixless = false): string {
  const pattern: Record<string, unknown> = { type: when.events };
  if (when.source.length === 1) pattern.source = when.source;
  for (const [key, wanted] of Object.entries(when.filter ?? ({} as Filter))) {
    const steps = key.split(".");
    let node = pattern;
    for (const step of steps.slice(0, -1)) {
      node[step] ??= {};
      node = node[step] as Record<string, unknown>;
    }
    node[steps.at(-1) as string] = (wanted as readonly unknown[]).map((one) =>
      suffixless && isMapping(one) && "suffix" in one ? { wildcard: `*${one.suffix}` } : one,
    );
  }
  return JSON.stringify(pattern);
}

/** Hands over a file: how many of each, the patterns, the events, a line each. */
async function measure(
  [program = "", ...args]: readonly string[],
  patterns: readonly string[],
  events: readonly string[],
): Promise<Measured> {
  const directory = mkdtempSync(path.join(tmpdir(), "orgloop-bench-match-"));
  try {
    const file = path.join(directory, "input");
    writeFileSync(
      file,
      [`${patterns.length} ${events.length}`, ...patterns, ...events, ""].join("\n"),
    );
    const child = spawn(program, [...args, file], {
      stdio: ["ignore", "pipe", "pipe"],
      timeout: PATIENCE_MS,
    });
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    let output = "";
    let errors = "";
    child.stdout.on("data", (data) => (output += data));
    child.stderr.on("data", (data) => (errors += data));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) resolve(output);
      else if (signal !== null) reject(new Error(`no answer in ${PATIENCE_MS / 1_000} s`));
      else reject(new Error(errors.trim().split("\n")[0] ?? `exit ${code}`));
    });
    return JSON.parse(await promise) as Measured;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
