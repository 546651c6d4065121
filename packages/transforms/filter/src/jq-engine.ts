import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { fairPool, hasCode, messageOf, OrgLoopError } from "@orgloop/sdk";
import type { JqReply, JqRequest } from "./jq-worker.ts";

/** How long one event may keep jq busy (v1alpha1, section 5). */
const LIMIT_MS = 5_000;
/** An evaluation takes about a millisecond. */
const SLOW_MS = 250;
const WORKERS = Math.max(2, availableParallelism());

/**
 * For all jq filters of the process: one of a route that loops, or all of its keys, leave the
 * others a worker. Not a library's pool: theirs load a file of their own, which is not there in our
 * bundles.
 */
export const jqPool = fairPool({
  places: WORKERS,
  each: WORKERS - 1,
  slowMs: SLOW_MS,
  most: WORKERS * 4,
});

const idle: Worker[] = [];
let users = 0;

/**
 * Keeps the engine; what it returns gives it up, and ends the workers where nobody else keeps it.
 */
export function retainJq(): () => Promise<void> {
  users++;
  let held = true;
  return async () => {
    if (!held) return;
    held = false;
    if (--users > 0) return;
    await Promise.all(idle.splice(0).map((worker) => worker.terminate()));
  };
}

/**
 * Runs `jq -e` (WebAssembly, in a worker: no files, no environment, nothing to install). Throws
 * `JQ_FAILED` after 5 s, on abort and where the worker died: it is ended, and the next call gets a
 * new one. Call it within {@link jqPool}.
 */
export async function evaluateJq(
  input: string,
  expression: string,
  signal?: AbortSignal,
): Promise<JqReply> {
  if (signal?.aborted) throw failed(messageOf(signal.reason), signal.reason);
  const worker = idle.pop() ?? startWorker();
  const { promise, resolve, reject } = Promise.withResolvers<JqReply>();
  const timer = setTimeout(() => reject(failed(`no result after ${LIMIT_MS} ms`)), LIMIT_MS);
  const onAbort = () => reject(failed(messageOf(signal?.reason), signal?.reason));
  const onExit = () => reject(failed("the engine ended"));
  const onError = (error: unknown) => reject(failed(reasonOf(error), error));
  worker.ref();
  worker.once("message", resolve).once("error", onError).once("exit", onExit);
  signal?.addEventListener("abort", onAbort, { once: true });
  let healthy = false;
  try {
    const request: JqRequest = { input, expression };
    worker.postMessage(request);
    const reply = await promise;
    healthy = true;
    return reply;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    worker.off("message", resolve).off("error", onError).off("exit", onExit).unref();
    if (healthy && users > 0 && idle.length < WORKERS) idle.push(worker);
    else void worker.terminate().catch(() => undefined);
  }
}

function startWorker(): Worker {
  const worker = new Worker(new URL("./jq-worker.ts", import.meta.url), {
    execArgv: [],
    // What the engine prints when it gives up is nothing for people.
    stdout: true,
    stderr: true,
  });
  worker.stdout.resume();
  worker.stderr.resume();
  // One that dies while it waits, or while it is being ended, is told to nobody.
  worker.on("error", () => undefined);
  worker.on("exit", () => {
    const at = idle.indexOf(worker);
    if (at !== -1) idle.splice(at, 1);
  });
  return worker;
}

/** The engine aborts, without a reason, where it can get no more memory. */
function reasonOf(error: unknown): string {
  const code = hasCode(error, "ERR_WORKER_OUT_OF_MEMORY");
  const isAbort = error instanceof Error && error.name === "RuntimeError";
  if (!code && !isAbort) return messageOf(error);
  return "its memory was used up; let the expression build less at once (no endless recursion, no long ranges or repeated strings)";
}

function failed(why: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("JQ_FAILED", `jq could not finish: ${why}`, { cause });
}
