import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(import.meta.url);
const PACKAGE = require.resolve("@orgloop/cli/package.json");
const COMMAND = path.join(path.dirname(PACKAGE), require(PACKAGE).bin.orgloop);

/** Runs the command `orgloop` on a project, its output in a pipe, its errors on this terminal. */
export function orgloop(args: readonly string[], env: NodeJS.ProcessEnv): ChildProcess {
  return spawn(process.execPath, [COMMAND, ...args], { env, stdio: ["ignore", "pipe", "inherit"] });
}

/** Stops a process that {@link orgloop} started, and waits for its end. */
export async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  await exited;
}
