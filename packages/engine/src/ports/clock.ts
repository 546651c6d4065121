import { randomUUID } from "node:crypto";

/** How the process waits; `globalThis` is one. */
export interface Timers {
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(handle: unknown): void;
}

/** Time and chance, as the process sees them; tests pass their own. */
export interface Clock {
  /**
   * Ms since the epoch, on a clock that nobody sets: it begins with the machine's and goes on by
   * itself. All waits are measured by it, so that no step of the machine's clock lengthens or ends
   * one.
   */
  readonly now: () => number;
  /**
   * Ms since the epoch as the machine's clock has it, which may be set at any time: for what is
   * told to people and other machines.
   */
  readonly wall: () => number;
  /**
   * How far that was ahead of `now`, once for each time that it was seen to be set; absent: nobody
   * has looked.
   */
  readonly offsets?: () => readonly number[];
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly timers: Timers;
}

const timers: Timers = {
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

const startedMs = Date.now() - performance.now();

/** Of a process that lives on. */
export const systemClock: Clock = {
  now: () => Math.trunc(startedMs + performance.now()),
  wall: Date.now,
  random: Math.random,
  timers,
};

/**
 * Of a host that is stopped between its calls, as a cloud function is, and with it every clock of
 * its own.
 */
export const wallClock: Clock = { ...systemClock, now: Date.now };

/** Steps of the machine's clock that are remembered. */
const MAX_OFFSETS = 64;

/**
 * The same clock, which remembers how far the machine's was ahead each time that somebody has read
 * it.
 */
export function watchedClock({ now, wall, ...rest }: Clock): Clock {
  const offsets = [0];
  return {
    ...rest,
    now,
    wall() {
      const wallMs = wall();
      const aheadMs = wallMs - now();
      if (Math.abs(aheadMs - (offsets.at(-1) ?? 0)) >= ALIKE_MS) {
        offsets.push(aheadMs);
        offsets.splice(0, offsets.length - MAX_OFFSETS);
      }
      return wallMs;
    },
    offsets: () => offsets,
  };
}

/** Clocks that differ by less were not set: they are read one after the other. */
const ALIKE_MS = 1_000;

/** What a time of `clock.now` is on the machine's clock, as that is set now. */
export function wallTime({ now, wall }: Pick<Clock, "now" | "wall">, ms: number): number {
  const setMs = wall() - now();
  return Math.abs(setMs) < ALIKE_MS ? ms : ms + setMs;
}

/** Node turns a longer wait into none at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Calls back at `atMs` (of `now`), never inside this call; `Infinity`: never. Returns what cancels
 * it.
 */
export function callAt(
  { now, timers }: Pick<Clock, "now" | "timers">,
  atMs: number,
  callback: () => void,
): () => void {
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
export function waitUntil(
  clock: Pick<Clock, "now" | "timers">,
  atMs: number,
  signal: AbortSignal,
): Promise<void> {
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

/**
 * 16 random hex digits; `randomUUID` draws its entropy in bulk, which is several times faster than
 * asking for 8 bytes.
 */
export function randomHex(): string {
  const uuid = randomUUID();
  return `${uuid.slice(0, 8)}${uuid.slice(9, 13)}${uuid.slice(24, 28)}`;
}
