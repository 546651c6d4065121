import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";

/** v1alpha1, section 5. */
const MAX_OUTPUT_BYTES = 10 * 1024 ** 2;

/** Characters of stderr that an error carries. */
const MAX_STDERR = 500;

/**
 * A script's children may keep its pipes open for ever; after it has ended they are read no longer
 * than this.
 */
const PIPES_GRACE_MS = 500;

/** Between SIGTERM and SIGKILL. */
const KILL_AFTER_MS = 1_000;

export interface ScriptRun {
  readonly path: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Written to stdin; a script that does not read it is no error. */
  readonly input: string;
  readonly signal: AbortSignal;
}

export interface ScriptExit {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  /** The end of it, on one line. */
  readonly stderr: string;
}

/**
 * Runs a script, without a shell, in a process group of its own. On abort and when it prints more
 * than 10 MiB the whole group gets SIGTERM, then SIGKILL; it settles when the script has ended.
 * Throws `SCRIPT_FAILED` where it was stopped or could not be started.
 */
export async function runScript(run: ScriptRun): Promise<ScriptExit> {
  if (run.signal.aborted) throw failed(run, "was stopped", run.signal.reason);
  const child = spawn(run.path, { cwd: run.cwd, env: run.env, detached: true });
  if (child.pid === undefined) throw await notStarted(child, run);
  const stop = stopper(child);
  const onAbort = () => stop("was stopped", run.signal.reason);
  run.signal.addEventListener("abort", onAbort, { once: true });
  const chunks: Buffer[] = [];
  let bytes = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > MAX_OUTPUT_BYTES) stop(`printed more than ${MAX_OUTPUT_BYTES} bytes`);
    else chunks.push(chunk);
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-MAX_STDERR);
  });
  // EPIPE where the script ends, or closes stdin, without reading it.
  child.stdin.on("error", () => undefined).end(run.input);
  try {
    const closed = once(child, "close");
    closed.catch(() => undefined);
    const [code, signal] = await once(child, "exit");
    await Promise.race([closed, grace()]);
    if (stop.reason !== undefined) throw failed(run, stop.reason.what, stop.reason.cause);
    const stdout = Buffer.concat(chunks);
    return { code, signal, stdout, stderr: stderr.replace(/[\s\p{Cc}]+/gu, " ").trim() };
  } catch (cause) {
    throw hasCode(cause, "SCRIPT_FAILED") ? cause : failed(run, "could not be started", cause);
  } finally {
    run.signal.removeEventListener("abort", onAbort);
    stop.end();
    child.stdout.destroy();
    child.stderr.destroy();
  }
}

/** Where no descriptor is left it has no pipes at all, and its error comes later. */
async function notStarted(child: ChildProcess, run: ScriptRun): Promise<OrgLoopError> {
  const [cause] = await once(child, "error");
  for (const pipe of child.stdio ?? []) pipe?.destroy();
  return failed(run, "could not be started", cause);
}

interface Stopper {
  (what: string, cause?: unknown): void;
  /** Why it was stopped, where it was. */
  reason?: { readonly what: string; readonly cause: unknown };
  /** The script has ended: what it left behind in its group, where it was stopped, ends too. */
  end(): void;
}

function stopper(child: ChildProcess): Stopper {
  let timer: NodeJS.Timeout | undefined;
  const stop: Stopper = (what, cause) => {
    if (stop.reason !== undefined) return;
    stop.reason = { what, cause };
    killGroup(child, "SIGTERM");
    timer = setTimeout(() => killGroup(child, "SIGKILL"), KILL_AFTER_MS);
  };
  stop.end = () => {
    clearTimeout(timer);
    if (stop.reason !== undefined) killGroup(child, "SIGKILL");
  };
  return stop;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!hasCode(error, "ESRCH") && !hasCode(error, "EPERM")) throw error;
  }
}

function failed({ path }: ScriptRun, what: string, cause: unknown): OrgLoopError {
  const why = cause === undefined ? "" : `: ${messageOf(cause)}`;
  return new OrgLoopError("SCRIPT_FAILED", `${path} ${what}${why}`, { cause });
}

function grace(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, PIPES_GRACE_MS).unref());
}
