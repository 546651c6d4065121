import {
  type EventDraft,
  isMapping,
  OrgLoopError,
  type PluginContext,
  type Source,
} from "@orgloop/sdk";
import type { CronSourceConfig } from "./config.ts";
import { parseSchedule } from "./schedule.ts";
import { type NamedSchedule, type Passed, type Progress, progressOf, type Tick } from "./ticks.ts";

/** Ticks of one page. */
const PAGE = 100;

/** Ticks of one schedule and poll: what is beyond comes with the next poll. */
const MAX_DUE = 10 * PAGE;

/**
 * A source of ticks. The checkpoint is a JSON map of a schedule's name to its last tick. A schedule
 * that the checkpoint does not know begins now: an interval with its current tick, a cron
 * expression with its next. Ticks missed meanwhile are made up for as `catch_up` says. A tick's
 * identity is its name and scheduled time: however often it is polled, it is one event.
 */
export function cronSource(
  { schedules: config }: CronSourceConfig,
  clocks: Pick<PluginContext, "now" | "monotonic">,
): Source {
  const schedules = config.map((item) => {
    const schedule: NamedSchedule = { ...item, ...parseSchedule(item.cron, item.timezone) };
    return { name: item.name, progress: progressOf(schedule, clocks) };
  });
  return {
    async *poll(checkpoint, { signal, deadlineMs }) {
      const seen = readCheckpoint(checkpoint);
      let moved = false;
      const ticks = schedules
        .flatMap(({ name, progress }) => {
          const { sinceMs, ticks: due } = progress.due(
            seen.get(name) ?? null,
            MAX_DUE,
            passedOf(name, seen),
          );
          if (seen.get(name) !== sinceMs) moved = true;
          seen.set(name, sinceMs);
          return due;
        })
        .sort((a, b) => a.timestampMs - b.timestampMs);
      if (ticks.length === 0 && moved) {
        yield { events: [], checkpoint: writeCheckpoint(schedules, seen) };
      }
      for (let from = 0; from < ticks.length; from += PAGE) {
        if (signal.aborted || clocks.now() >= deadlineMs) return;
        const page = ticks.slice(from, from + PAGE);
        for (const { schedule, atMs } of page) seen.set(schedule.name, atMs);
        yield { events: page.map(draft), checkpoint: writeCheckpoint(schedules, seen) };
      }
    },
    nextPoll: (nowMs) => Math.min(...schedules.map(({ progress }) => progress.nextMs(nowMs))),
  };
}

function draft({ schedule, atMs, timestampMs }: Tick): EventDraft {
  const { name, intervalMs, payload } = schedule;
  return {
    identity: `${name}@${new Date(atMs).toISOString()}`,
    timestamp: new Date(timestampMs).toISOString(),
    type: "resource.changed",
    provenance: { platform: "cron", platform_event: `schedule.${name}`, author_type: "system" },
    payload: {
      schedule: name,
      ...(intervalMs !== undefined && { interval_ms: intervalMs }),
      ...payload,
    },
  };
}

function readCheckpoint(checkpoint: string | null): Map<string, number> {
  try {
    const times: unknown = JSON.parse(checkpoint ?? "{}");
    if (!isMapping(times)) throw new TypeError("it is no map");
    const entries = Object.entries(times);
    if (!entries.every(([, time]) => typeof time === "string")) throw new TypeError("no time");
    // `toISOString` is what refuses a text that is no time.
    return new Map(
      entries.map(([name, time]) => [name, Date.parse(new Date(String(time)).toISOString())]),
    );
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CHECKPOINT",
      "the checkpoint is no JSON map of schedule to time: remove it to begin now",
      { cause },
    );
  }
}

interface Scheduled {
  readonly name: string;
  readonly progress: Progress;
}

const iso = (ms: number): string => new Date(ms).toISOString();

/**
 * Besides each schedule's last tick the times that it has passed, as `NAME@FROM` to the last of
 * them: only where the clock was set.
 */
function writeCheckpoint(
  schedules: readonly Scheduled[],
  seen: ReadonlyMap<string, number>,
): string {
  const entries = schedules.flatMap(({ name, progress }) => [
    [name, iso(seen.get(name) ?? 0)],
    ...progress.passed.map(({ fromMs, toMs }) => [`${name}@${iso(fromMs)}`, iso(toMs)]),
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

function passedOf(name: string, seen: ReadonlyMap<string, number>): readonly Passed[] {
  return [...seen].flatMap(([key, toMs]) => {
    const fromMs = key.startsWith(`${name}@`) ? Date.parse(key.slice(name.length + 1)) : Number.NaN;
    return Number.isNaN(fromMs) ? [] : [{ fromMs, toMs }];
  });
}
