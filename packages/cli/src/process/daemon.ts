import { type ChildProcess, spawn } from "node:child_process";
import { open, readFile } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "@orgloop/sdk";
import type { CommandContext } from "../command.ts";
import { CommandError, type ExitStatus } from "../command-error.ts";
import { makeDirectory } from "./make-directory.ts";
import { runProject } from "./run-project.ts";
import { type StartReport, startLines } from "./start-report.ts";

/** What the background process tells the one that started it. */
type Message =
  | { readonly kind: "ready"; readonly report: StartReport }
  | {
      readonly kind: "failed";
      readonly code: string;
      readonly message: string;
      readonly exitStatus: ExitStatus;
    };

import { COMMAND } from "../package-files.ts";

/**
 * Starts the project in a process of its own, run again where it crashes if `supervised`, and
 * resolves once it is ready; throws what kept it from starting.
 */
export async function startDaemon(
  { home, flags, env, output }: CommandContext,
  port: number,
  supervised: boolean,
): Promise<StartReport> {
  const logs = path.join(home, "logs");
  await makeDirectory(logs, { mode: 0o700 });
  const errors = path.join(logs, "daemon.stderr.log");
  const stdout = await open(path.join(logs, "daemon.stdout.log"), "a", 0o600);
  const stderr = await open(errors, "a", 0o600);
  const globals = ["--config", flags.config, "--workspace", flags.workspace, "--no-color"];
  const child = spawn(process.execPath, [COMMAND, "start", ...globals, "--port", String(port)], {
    detached: true,
    env: { ...env, [supervised ? "ORGLOOP_SUPERVISOR" : "ORGLOOP_DAEMON"]: "1" },
    stdio: ["ignore", stdout.fd, stderr.fd, "ipc"],
  });
  const interrupt = () => child.kill();
  process.once("SIGINT", interrupt);
  try {
    output.note("Starting ...");
    const message = await firstMessage(child, errors);
    if (message.kind === "failed") {
      const { code, message: text, exitStatus } = message;
      throw new CommandError(code, text, { exitStatus });
    }
    await requireReady(message.report.port);
    return message.report;
  } finally {
    process.off("SIGINT", interrupt);
    if (child.connected) child.disconnect();
    child.unref();
    await Promise.all([stdout.close(), stderr.close()]);
  }
}

/** The background process: as the foreground, but it reports to its parent. */
export async function runAsDaemon(context: CommandContext, port: number): Promise<void> {
  const notify = (message: Message) =>
    new Promise<void>((resolve) => {
      if (!process.connected) resolve();
      else process.send?.(message, () => resolve());
    });
  const leave = () => process.connected && process.disconnect();
  try {
    await runProject(context, {
      port,
      daemon: true,
      showEntries: false,
      async onReady(report) {
        context.output.note(startLines(report, context.output));
        await notify({ kind: "ready", report });
        leave();
      },
    });
  } catch (error) {
    const { code = "FAILED", exitStatus = 1 } = error as { code?: string; exitStatus?: ExitStatus };
    await notify({ kind: "failed", code, message: messageOf(error), exitStatus });
    leave();
    throw error;
  }
}

function firstMessage(child: ChildProcess, errors: string): Promise<Message> {
  return new Promise((resolve, reject) => {
    child.once("message", (message) => resolve(message as Message));
    child.once("error", reject);
    child.once("exit", async (code, signal) => {
      const said = await lastLines(errors);
      const how = signal === null ? `with exit status ${code}` : `by ${signal}`;
      reject(new CommandError("DAEMON_ENDED", `the process ended ${how} (${errors}):\n${said}`));
    });
  });
}

async function requireReady(port: number): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${port}/readyz`, {
    signal: AbortSignal.timeout(5_000),
  });
  if (response.ok) return;
  throw new CommandError(
    "NOT_READY",
    `the process runs but is not ready: ${await response.text()}`,
  );
}

async function lastLines(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.trimEnd().split("\n").slice(-10).join("\n");
}
