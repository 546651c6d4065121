interface Timer {
  readonly atMs: number;
  readonly callback: () => void;
}

/** Time that stands still until it is moved; its shape fits what the process takes as its clock. */
export interface FakeClock {
  /** Ms since the epoch. */
  readonly now: () => number;
  /** The same until somebody sets it. */
  readonly wall: () => number;
  /** Sets the machine's clock on by `ms`, or back where it is negative; nothing else notices. */
  readonly stepWall: (ms: number) => void;
  readonly random: () => number;
  /** Calls back once, `ms` from now, when time is moved there. Returns what cancels it. */
  readonly schedule: (ms: number, callback: () => void) => () => void;
  /** The same in the form of `globalThis`. */
  readonly timers: {
    setTimeout(callback: () => void, ms: number): unknown;
    clearTimeout(handle: unknown): void;
  };
  /** How many callbacks wait. */
  readonly waiting: () => number;
  /**
   * Moves time on by `ms`, stopping at every callback that falls due on the way, also at those
   * scheduled meanwhile; what a callback set off (promises, immediates) has run before the next
   * one. Real input and output it does not wait for.
   */
  readonly advance: (ms: number) => Promise<void>;
  /** Moves time to the next callback; false where none waits. */
  readonly advanceToNext: () => Promise<boolean>;
}

/** `startMs`: default 2026-01-01. `random`: default always 0.5. */
export function fakeClock(
  startMs: number = Date.UTC(2026, 0, 1),
  random: () => number = () => 0.5,
): FakeClock {
  let nowMs = startMs;
  let aheadMs = 0;
  /** In the order of scheduling, which decides between those due at the same time. */
  const timers = new Set<Timer>();

  const schedule = (ms: number, callback: () => void) => {
    const timer: Timer = { atMs: nowMs + Math.max(0, ms), callback };
    timers.add(timer);
    return () => void timers.delete(timer);
  };

  function next(): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of timers) if (first === undefined || timer.atMs < first.atMs) first = timer;
    return first;
  }

  async function advanceTo(untilMs: number): Promise<void> {
    await settle();
    for (let timer = next(); timer !== undefined && timer.atMs <= untilMs; timer = next()) {
      timers.delete(timer);
      nowMs = Math.max(nowMs, timer.atMs);
      timer.callback();
      await settle();
    }
    nowMs = Math.max(nowMs, untilMs);
  }

  return {
    now: () => nowMs,
    wall: () => nowMs + aheadMs,
    stepWall(ms) {
      aheadMs += ms;
    },
    random,
    schedule,
    timers: {
      setTimeout: (callback, ms) => schedule(ms, callback),
      clearTimeout: (cancel) => (cancel as (() => void) | undefined)?.(),
    },
    waiting: () => timers.size,
    advance: (ms) => advanceTo(nowMs + ms),
    async advanceToNext() {
      await settle();
      const timer = next();
      if (timer !== undefined) await advanceTo(timer.atMs);
      return timer !== undefined;
    },
  };
}

/**
 * Two turns of the event loop: every promise chain of the first, and what its immediates set off.
 */
async function settle(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
  await new Promise((resolve) => setImmediate(resolve));
}
