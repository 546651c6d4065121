import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";

export interface Command {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Written to stdin; a command that does not read it is no error. */
  readonly input: string;
  /** Between SIGTERM and SIGKILL. */
  readonly killAfterMs: number;
  readonly signal: AbortSignal;
}

export interface Exit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The end of what it printed, stderr where there is any, else stdout. */
  readonly output: string;
}

/** Characters of output that are kept. */
const MAX_OUTPUT = 1000;

/**
 * A command's children may keep its pipes open for ever; after it has ended they are read no longer
 * than this.
 */
const PIPES_GRACE_MS = 500;

/**
 * Runs a command in a process group of its own. When the signal aborts, the whole group gets
 * SIGTERM, then SIGKILL; the promise settles only when the command has ended, so that a retry never
 * runs beside it. Throws `COMMAND_FAILED` where it could not be started or was ended by the abort.
 */
export async function runCommand(command: Command): Promise<Exit> {
  if (command.signal.aborted) throw aborted(command, command.signal.reason);
  const child = spawn(command.command, command.args, {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw await notStarted(child, command);
  const stderr = keepTail(child.stderr);
  const stdout = keepTail(child.stdout);
  // EPIPE where the command ends, or closes stdin, without reading it.
  child.stdin.on("error", () => undefined).end(command.input);
  const stopKilling = killOnAbort(child, command);
  try {
    const closed = once(child, "close");
    closed.catch(() => undefined);
    const [code, signal] = await once(child, "exit");
    if (command.signal.aborted) throw aborted(command, command.signal.reason);
    if (code !== 0) await Promise.race([closed, grace()]);
    return { code, signal, output: stderr() || stdout() };
  } catch (cause) {
    throw hasCode(cause, "COMMAND_FAILED") ? cause : failed(command, cause);
  } finally {
    stopKilling();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Where no descriptor is left it has no pipes at all, and its error comes later. */
async function notStarted(child: ChildProcess, command: Command): Promise<OrgLoopError> {
  const [cause] = await once(child, "error");
  for (const pipe of child.stdio ?? []) pipe?.destroy();
  return failed(command, cause);
}

function failed({ command }: Command, cause: unknown): OrgLoopError {
  const message = `${command} could not be started: ${messageOf(cause)}`;
  return new OrgLoopError("COMMAND_FAILED", message, { cause });
}

function killOnAbort(child: ChildProcess, { signal, killAfterMs }: Command): () => void {
  let timer: NodeJS.Timeout | undefined;
  const onAbort = () => {
    killGroup(child, "SIGTERM");
    timer = setTimeout(() => killGroup(child, "SIGKILL"), killAfterMs);
  };
  signal.addEventListener("abort", onAbort, { once: true });
  return () => {
    signal.removeEventListener("abort", onAbort);
    clearTimeout(timer);
    // What the command left behind in its group, where the command itself obeyed SIGTERM.
    if (timer !== undefined) killGroup(child, "SIGKILL");
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH") && !hasCode(error, "EPERM")) throw error;
  }
}

function keepTail(stream: NodeJS.ReadableStream): () => string {
  let text = "";
  stream.setEncoding("utf8").on("data", (chunk: string) => {
    text = (text + chunk).slice(-MAX_OUTPUT);
  });
  return () => text.replace(/[\s\p{Cc}]+/gu, " ").trim();
}

function aborted({ command }: Command, reason: unknown): OrgLoopError {
  return new OrgLoopError("COMMAND_FAILED", `${command} was stopped: ${messageOf(reason)}`, {
    cause: reason,
  });
}

function grace(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PIPES_GRACE_MS).unref());
}
