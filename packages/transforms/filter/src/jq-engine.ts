import { Worker } from "node:worker_threads";
import { messageOf, OrgLoopError } from "@orgloop/sdk";
import type { JqReply, JqRequest } from "./jq-worker.ts";

/** How long one event may keep jq busy (v1alpha1, section 5). */
const LIMIT_MS = 5_000;

/** One worker for all jq filters of the process, one evaluation at a time: an evaluation takes about a millisecond. */
let worker: Worker | undefined;
let users = 0;
let last: Promise<unknown> = Promise.resolve();

/** Keeps the engine; what it returns gives it up, and ends the worker where nobody else keeps it. */
export function retainJq(): () => Promise<void> {
  users++;
  let held = true;
  return async () => {
    if (!held) return;
    held = false;
    if (--users > 0) return;
    const idle = worker;
    worker = undefined;
    await idle?.terminate();
  };
}

/**
 * Runs `jq -e` (WebAssembly, in a worker: no files, no environment, nothing to install). Throws `JQ_FAILED` after 5 s, on abort
 * and where the engine died; the next call gets a new engine.
 */
export function evaluateJq(
  input: string,
  expression: string,
  signal?: AbortSignal,
): Promise<JqReply> {
  const result = last.then(() => evaluate({ input, expression }, signal));
  last = result.catch(() => undefined);
  return result;
}

async function evaluate(request: JqRequest, signal: AbortSignal | undefined): Promise<JqReply> {
  if (signal?.aborted) throw failed(messageOf(signal.reason), signal.reason);
  worker ??= new Worker(new URL("./jq-worker.ts", import.meta.url), { execArgv: [] });
  const engine = worker;
  const { promise, resolve, reject } = Promise.withResolvers<JqReply>();
  const timer = setTimeout(() => reject(failed(`no result after ${LIMIT_MS} ms`)), LIMIT_MS);
  const onAbort = () => reject(failed(messageOf(signal?.reason), signal?.reason));
  const onExit = () => reject(failed("the engine ended"));
  const onError = (error: unknown) => reject(failed(messageOf(error), error));
  engine.ref();
  engine.once("message", resolve).once("error", onError).once("exit", onExit);
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    engine.postMessage(request);
    return await promise;
  } catch (error) {
    if (worker === engine) worker = undefined;
    // Whoever waits need not wait for this; the listener keeps an error of the dying worker from being uncaught.
    engine
      .on("error", () => undefined)
      .terminate()
      .catch(() => undefined);
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    engine.off("message", resolve).off("error", onError).off("exit", onExit).unref();
  }
}

function failed(why: string, cause?: unknown): OrgLoopError {
  return new OrgLoopError("JQ_FAILED", `jq could not finish: ${why}`, { cause });
}
