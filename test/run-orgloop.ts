import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const PACKAGE = require.resolve("@orgloop/cli/package.json");
/** The installed command of a test run (`install-command.ts`); elsewhere the checkout's. */
export const COMMAND =
  process.env.ORGLOOP_COMMAND ?? path.join(path.dirname(PACKAGE), require(PACKAGE).bin.orgloop);

export interface RunningOrgLoop {
  readonly child: ChildProcess;
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** All lines on stdout and stderr so far. */
  readonly lines: readonly string[];
  /** Sends a signal and waits for the end; returns the exit code, or null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Starts `orgloop start` on a free port and waits until it takes webhooks. Rejects with its output
 * where it ends before. `under` is the command that runs it, e.g. one that sets limits; `command`
 * is another Node or another installation.
 */
export async function startOrgLoop(
  project: string,
  env: NodeJS.ProcessEnv,
  under: readonly string[] = [],
  command: readonly string[] = [process.execPath, COMMAND],
): Promise<RunningOrgLoop> {
  const start = ["start", "--config", project, "--port", "0"];
  const [program = "", ...rest] = [...under, ...command, ...start];
  const child = spawn(program, rest, {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const lines: string[] = [];
  const exited = once(child, "exit");
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      createInterface(stream).on("line", (line) => {
        lines.push(line);
        const found = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
        if (found !== undefined) resolve(found);
      });
    }
    child.once("exit", (code) => {
      reject(new Error(`orgloop start ended with ${code}:\n${lines.join("\n")}`));
    });
  });
  return {
    child,
    url,
    lines,
    async end(signal) {
      child.kill(signal);
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}

/**
 * Runs a command of `orgloop` to its end, in the directory `cwd` (default: this process's), by
 * `node` (default: this process's).
 */
export async function orgloop(
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd?: string,
  node: string = process.execPath,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(node, [COMMAND, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    ...(cwd !== undefined && { cwd }),
  });
  const output = { stdout: "", stderr: "" };
  child.stdout.on("data", (chunk) => {
    output.stdout += chunk;
  });
  child.stderr.on("data", (chunk) => {
    output.stderr += chunk;
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, ...output };
}
