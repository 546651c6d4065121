import { type ChildProcess, spawn } from "node:child_process";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { replaceFile } from "@orgloop/files";
import type { CommandContext } from "../command.ts";
import type { ExitStatus } from "../command-error.ts";
import { isAlive } from "./running-process.ts";

/** v1alpha1, section 11: so many restarts in so long, then it is given up. */
const MAX_RESTARTS = 10;
const WINDOW_MS = 300_000;
const FIRST_DELAY_MS = 1_000;
const MAX_DELAY_MS = 30_000;

const supervisorFile = (home: string) => path.join(home, "supervisor.json");

/**
 * Runs this command line once more as the daemon, again where that ends by a signal or with an
 * error, until it is stopped. What the first one says goes to the parent; one that never was ready
 * is not run again. Resolves with the exit status.
 */
export async function supervise({ home, output }: CommandContext): Promise<ExitStatus> {
  const stopping = new AbortController();
  let child: ChildProcess | null = null;
  const stop = (signal: NodeJS.Signals) => {
    stopping.abort();
    child?.kill(signal);
  };
  process.on("SIGTERM", stop).on("SIGINT", stop);
  let isReady = false;
  let restartsMs: number[] = [];
  try {
    for (;;) {
      child = spawn(process.execPath, process.argv.slice(1), {
        env: { ...process.env, ORGLOOP_DAEMON: "1", ORGLOOP_SUPERVISED: "1" },
        stdio: ["ignore", "inherit", "inherit", "ipc"],
      });
      child.on("message", (message: { readonly kind: string }) => {
        isReady ||= message.kind === "ready";
        if (!process.connected) return;
        process.send?.(message, () => process.connected && process.disconnect());
      });
      const ended = endOf(child);
      await replaceFile(
        supervisorFile(home),
        `${JSON.stringify({ pid: process.pid, child: child.pid })}\n`,
      );
      const how = await ended;
      if (how === null || stopping.signal.aborted) return 0;
      if (!isReady) return 1;
      const nowMs = performance.now();
      restartsMs = restartsMs.filter((atMs) => nowMs - atMs < WINDOW_MS);
      if (restartsMs.length >= MAX_RESTARTS) {
        output.error(`the daemon ended ${how}, ${MAX_RESTARTS} times in 5 minutes: given up`);
        return 1;
      }
      const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** restartsMs.length);
      restartsMs.push(nowMs);
      output.note(`The daemon ended ${how}; it is started again in ${delayMs / 1_000} s ...`);
      await wait(delayMs, undefined, { signal: stopping.signal }).catch(() => undefined);
      if (stopping.signal.aborted) return 0;
    }
  } finally {
    await rm(supervisorFile(home), { force: true });
  }
}

/**
 * Has the supervisor of the daemon `pid`, dead or alive, not run it again; null: of any that is
 * dead. False where there is none.
 */
export async function endSupervision(home: string, pid: number | null): Promise<boolean> {
  try {
    const supervisor = JSON.parse(await readFile(supervisorFile(home), "utf8"));
    const isMeant = pid === null ? !isAlive(supervisor.child) : supervisor.child === pid;
    return isMeant && process.kill(supervisor.pid, "SIGTERM");
  } catch {
    return false;
  }
}

/** How it ended, in words; null: as it should. */
function endOf(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    child.once("error", (error) => resolve(`at once (${error.message})`));
    child.once("exit", (code, signal) => {
      if (code === 0) resolve(null);
      else resolve(signal === null ? `with exit status ${code}` : `by ${signal}`);
    });
  });
}
