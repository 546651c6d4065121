import { stackOf } from "@orgloop/engine";

/** Is told of a rejection that nobody has handled, with its stack. */
export type OnUnhandled = (error: string, isLogged: boolean) => void;

/**
 * Told of in a minute; the others are counted: what is told of may itself be what a logger stumbles
 * over.
 */
const MAX_LOGGED = 20;
const WINDOW_MS = 60_000;

/**
 * A rejection that a plug-in of one project has left unhandled ends nothing. Nobody can know whose
 * it is: `onUnhandled` is for each. An uncaught exception still ends the process. What it returns
 * stops listening.
 */
export function listenForUnhandled(onUnhandled: OnUnhandled, now: () => number): () => void {
  let windowEndMs = Number.NEGATIVE_INFINITY;
  let logged = 0;
  const listener = (reason: unknown): void => {
    const nowMs = now();
    if (nowMs >= windowEndMs || nowMs < windowEndMs - WINDOW_MS) {
      windowEndMs = nowMs + WINDOW_MS;
      logged = 0;
    }
    logged += 1;
    const error = `a rejection that nobody handled: ${stackOf(reason)}`;
    onUnhandled(error, logged <= MAX_LOGGED);
  };
  process.on("unhandledRejection", listener);
  return () => void process.off("unhandledRejection", listener);
}
