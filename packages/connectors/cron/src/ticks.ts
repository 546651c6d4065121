import type { CronSourceConfig } from "./config.ts";
import type { Schedule } from "./schedule.ts";

export type NamedSchedule = CronSourceConfig["schedules"][number] & Schedule;

export interface Tick {
  readonly schedule: NamedSchedule;
  /**
   * What names it, in ms since the epoch: its scheduled time, however the clock was set meanwhile.
   */
  readonly atMs: number;
  /** The same on the machine's clock as it is set now. */
  readonly timestampMs: number;
}

/** The clocks of a host. */
export interface Clocks {
  /** The machine's, which may be set at any time. */
  readonly now: () => number;
  /** One that nobody sets; absent: the host has none. */
  readonly monotonic?: () => number;
}

/**
 * What is due, and since when that is reckoned: another time than the checkpoint's is to be kept in
 * its stead.
 */
export interface Due {
  readonly sinceMs: number;
  readonly ticks: readonly Tick[];
}

/** Where a schedule stands. */
export interface Progress {
  /**
   * Ticks after `checkpointMs` (null: it knows none), in order, at most `most`; `passed`: as it was
   * kept with that.
   */
  due(checkpointMs: number | null, most: number, passed: readonly Passed[]): Due;
  /** What is to be kept besides, where the clock was set; else nothing. */
  readonly passed: readonly Passed[];
  /** When the next tick is due, on the machine's clock, which says `nowMs`; `Infinity`: never. */
  nextMs(nowMs: number): number;
}

export function progressOf(schedule: NamedSchedule, clocks: Clocks): Progress {
  const { intervalMs } = schedule;
  return intervalMs === undefined
    ? fixedTimes(schedule, clocks.now)
    : everyInterval(schedule, intervalMs, clocks);
}

/** Clocks that differ by less were not set: they are read one after the other. */
const ALIKE_MS = 1_000;

/**
 * Ticks of an interval run on by the clock that nobody sets. Their times count them: the next is
 * one interval on from the last, also where that lies in the future because the machine's clock was
 * set back since, so that no two have one identity.
 */
function everyInterval(
  schedule: NamedSchedule,
  intervalMs: number,
  { now, monotonic }: Clocks,
): Progress {
  const clock = monotonic ?? now;
  /** How far the times are ahead of the clock: whole intervals. Null: that is not known yet. */
  let aheadMs: number | null = monotonic === undefined ? 0 : null;
  return {
    passed: [],
    due(checkpointMs, most) {
      const nowMs = clock();
      const setMs = now() - nowMs;
      const lastMs = checkpointMs ?? nowMs - intervalMs;
      aheadMs ??= Math.max(0, Math.ceil((lastMs - nowMs) / intervalMs)) * intervalMs;
      const countedMs = nowMs + aheadMs;
      const toMachineMs = (Math.abs(setMs) < ALIKE_MS ? 0 : setMs) - aheadMs;
      const sinceMs = Math.min(lastMs, countedMs);
      const ticks = dueTimes(schedule, sinceMs, countedMs, most).map((atMs) => ({
        schedule,
        atMs,
        timestampMs: atMs + toMachineMs,
      }));
      return { sinceMs, ticks };
    },
    nextMs(nowMs) {
      const sinceMs = monotonic?.() ?? nowMs;
      return nowMs + ((schedule.next(sinceMs) ?? Number.POSITIVE_INFINITY) - sinceMs);
    },
  };
}

/** Times that the clock has passed, from the first to the last tick. */
export interface Passed {
  readonly fromMs: number;
  toMs: number;
}

/** Stretches of passed time that are remembered: a step of the clock begins a new one. */
const MAX_PASSED = 64;
/** Those that are kept over a restart: the last. */
const MAX_KEPT = 16;

/**
 * Ticks of fixed times are of the machine's clock, and happen once, also where that is set back and
 * passes them again: what has passed is remembered, over a restart too once the clock was seen to
 * be set back. A checkpoint in the future is read as now: what lies between was passed by nobody.
 */
function fixedTimes(schedule: NamedSchedule, now: () => number): Progress {
  const passed: Passed[] = [];
  /** Ticks that were given out, and may not have been kept. */
  let given: readonly number[] = [];
  let isRestored = false;
  let wasSet = false;

  function restore(checkpointMs: number | null, kept: readonly Passed[]): void {
    isRestored = true;
    wasSet = kept.length > 0;
    passed.push(...kept.map((one) => ({ ...one })));
    if (checkpointMs !== null) passed.push({ fromMs: checkpointMs, toMs: checkpointMs });
  }

  function remember(keptMs: number): void {
    for (const atMs of given.filter((ms) => ms <= keptMs)) {
      const current = passed.at(-1);
      if (current !== undefined && schedule.next(current.toMs) === atMs) current.toMs = atMs;
      else passed.push({ fromMs: atMs, toMs: atMs });
    }
    passed.splice(0, passed.length - MAX_PASSED);
  }

  const isNew = (ms: number) => !passed.some(({ fromMs, toMs }) => fromMs <= ms && ms <= toMs);

  return {
    get passed() {
      return wasSet ? passed.slice(-MAX_KEPT) : [];
    },
    due(checkpointMs, most, kept) {
      const nowMs = now();
      if (!isRestored) restore(checkpointMs, kept);
      if (checkpointMs !== null) remember(checkpointMs);
      wasSet ||= checkpointMs !== null && checkpointMs > nowMs;
      const sinceMs = Math.min(checkpointMs ?? nowMs, nowMs);
      given = dueTimes(schedule, sinceMs, nowMs, most).filter(isNew);
      return { sinceMs, ticks: given.map((atMs) => ({ schedule, atMs, timestampMs: atMs })) };
    },
    nextMs: (nowMs) => schedule.next(nowMs) ?? Number.POSITIVE_INFINITY,
  };
}

/** Of what was missed the last alone, or all of it, as `catch_up` says. */
function dueTimes(schedule: NamedSchedule, sinceMs: number, nowMs: number, most: number): number[] {
  if (schedule.catch_up === "last") {
    const atMs = schedule.last(nowMs);
    return atMs !== undefined && atMs > sinceMs ? [atMs] : [];
  }
  const times: number[] = [];
  let atMs = schedule.next(sinceMs);
  // Bounded: what is beyond comes with the next poll.
  while (atMs !== undefined && atMs <= nowMs && times.length < most) {
    times.push(atMs);
    atMs = schedule.next(atMs);
  }
  return times;
}
