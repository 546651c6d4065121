import { type EventDraft, OrgLoopError, type PluginContext, type Source } from "@orgloop/sdk";
import type { CronSourceConfig } from "./config.ts";
import { parseSchedule, type Schedule } from "./schedule.ts";

type NamedSchedule = CronSourceConfig["schedules"][number] & Schedule;

interface Tick {
  readonly schedule: NamedSchedule;
  readonly atMs: number;
}

/** Ticks of one page. */
const PAGE = 100;

/**
 * A source of ticks. The checkpoint is a JSON map of a schedule's name to its last tick. A schedule that the checkpoint does not
 * know begins now: an interval with its current tick, a cron expression with its next. Ticks missed meanwhile are made up for as
 * `catch_up` says. A tick's identity is its name and scheduled time: however often it is polled, it is one event.
 */
export function cronSource(
  { schedules: config }: CronSourceConfig,
  { now }: Pick<PluginContext, "now">,
): Source {
  const schedules = config.map((item) => ({ ...item, ...parseSchedule(item.cron, item.timezone) }));
  return {
    async *poll(checkpoint, { signal, deadlineMs }) {
      const nowMs = now();
      const seen = readCheckpoint(checkpoint);
      const unknown = schedules.filter(({ name }) => !seen.has(name));
      for (const { name, intervalMs } of unknown) seen.set(name, nowMs - (intervalMs ?? 0));
      const ticks = schedules
        .flatMap((schedule) => dueTicks(schedule, seen.get(schedule.name) ?? nowMs, nowMs))
        .sort((a, b) => a.atMs - b.atMs);
      if (ticks.length === 0 && unknown.length > 0) {
        yield { events: [], checkpoint: writeCheckpoint(schedules, seen) };
      }
      for (let from = 0; from < ticks.length; from += PAGE) {
        if (signal.aborted || now() >= deadlineMs) return;
        const page = ticks.slice(from, from + PAGE);
        for (const { schedule, atMs } of page) seen.set(schedule.name, atMs);
        yield { events: page.map(draft), checkpoint: writeCheckpoint(schedules, seen) };
      }
    },
    nextPoll(nowMs) {
      return Math.min(...schedules.map(({ next }) => next(nowMs) ?? Number.POSITIVE_INFINITY));
    },
  };
}

function dueTicks(schedule: NamedSchedule, sinceMs: number, nowMs: number): Tick[] {
  if (schedule.catch_up === "last") {
    const atMs = schedule.last(nowMs);
    return atMs !== undefined && atMs > sinceMs ? [{ schedule, atMs }] : [];
  }
  const ticks: Tick[] = [];
  let atMs = schedule.next(sinceMs);
  // Bounded: what is beyond comes with the next poll.
  while (atMs !== undefined && atMs <= nowMs && ticks.length < 10 * PAGE) {
    ticks.push({ schedule, atMs });
    atMs = schedule.next(atMs);
  }
  return ticks;
}

function draft({ schedule, atMs }: Tick): EventDraft {
  const { name, intervalMs, payload } = schedule;
  const timestamp = new Date(atMs).toISOString();
  return {
    identity: `${name}@${timestamp}`,
    timestamp,
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
    const entries = Object.entries<string>(JSON.parse(checkpoint ?? "{}"));
    // `toISOString` is what refuses a text that is no time.
    return new Map(entries.map(([name, time]) => [name, Date.parse(new Date(time).toISOString())]));
  } catch (cause) {
    throw new OrgLoopError(
      "INVALID_CHECKPOINT",
      "the checkpoint is no JSON map of schedule to time: remove it to begin now",
      { cause },
    );
  }
}

function writeCheckpoint(
  schedules: readonly NamedSchedule[],
  seen: ReadonlyMap<string, number>,
): string {
  const entries = schedules.map(({ name }) => [name, new Date(seen.get(name) ?? 0).toISOString()]);
  return JSON.stringify(Object.fromEntries(entries));
}
