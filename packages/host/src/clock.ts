/** How the process waits; `globalThis` is one. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Time and chance, as the process sees them; tests pass their own. */
export interface Clock {
  /** Ms since the epoch. */
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly timers: Timers;
}

export const systemClock: Clock = {
  now: Date.now,
  random: Math.random,
  timers: {
    setTimeout: (callback, ms) => setTimeout(callback, ms),
    clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
  },
};

/** Node turns a longer wait into none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Calls back at `atMs` (ms since the epoch), never inside this call; `Infinity`: never. Returns what cancels it. */
export function callAt({ now, timers }: Clock, atMs: number, callback: () => void): () => void {
  if (atMs === Number.POSITIVE_INFINITY) return () => {};
  let handle: unknown;
  const arm = (): void => {
    const waitMs = Math.max(0, atMs - now());
    const inOne = waitMs <= LONGEST_TIMER_MS;
    handle = timers.setTimeout(inOne ? callback : arm, Math.min(waitMs, LONGEST_TIMER_MS));
  };
  arm();
  return () => timers.clearTimeout(handle);
}

/** Resolves at `atMs`, or at once when `signal` is aborted. */
export function waitUntil(clock: Clock, atMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  if (signal.aborted) return Promise.resolve();
  const cancel = callAt(clock, atMs, end);
  signal.addEventListener("abort", end, { once: true });
  function end(): void {
    cancel();
    signal.removeEventListener("abort", end);
    resolve();
  }
  return promise;
}
