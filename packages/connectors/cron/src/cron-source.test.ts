import type { EventDraft, SourcePage } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cronSourceConfig } from "./config.ts";
import { cronSource } from "./cron-source.ts";
import connector from "./index.ts";

const at = (text: string) => Date.parse(text);
const NINE = at("2026-03-02T09:00:00Z");

/** A source whose clock the test sets; `poll` keeps the checkpoint as a host does. */
function ticking(schedules: unknown, startMs: number) {
  let nowMs = startMs;
  let checkpoint: string | null = null;
  const source = cronSource(cronSourceConfig.parse({ schedules }), { now: () => nowMs });
  const pages = async (from: string | null, take = Number.POSITIVE_INFINITY) => {
    const seen: SourcePage[] = [];
    const signal = new AbortController().signal;
    for await (const page of source.poll?.(from, { signal, deadlineMs: nowMs + 1 }) ?? []) {
      seen.push(page);
      if (seen.length === take) break;
    }
    return seen;
  };
  return {
    source,
    pages,
    async poll(ms: number, take?: number) {
      nowMs = ms;
      const seen = await pages(checkpoint, take);
      checkpoint = seen.at(-1)?.checkpoint ?? checkpoint;
      return seen.flatMap(({ events }) => events.map(({ identity }) => identity));
    },
    checkpoint: () => checkpoint,
    resume(text: string) {
      checkpoint = text;
    },
  };
}

const daily = { name: "daily", cron: "0 9 * * *", timezone: "UTC" };

describe("ticks", () => {
  it("happen once each, at their scheduled time", async () => {
    const cron = ticking([daily], NINE - 30_000);
    expect(await cron.poll(NINE - 30_000)).toEqual([]);
    expect(await cron.poll(NINE - 1)).toEqual([]);
    expect(await cron.poll(NINE)).toEqual(["daily@2026-03-02T09:00:00.000Z"]);
    expect(await cron.poll(NINE + 1)).toEqual([]);
    expect(await cron.poll(NINE + 86_400_000 + 5_000)).toEqual(["daily@2026-03-03T09:00:00.000Z"]);
  });

  it("carry the platform's name, the schedule's and its payload", async () => {
    const schedules = [{ name: "sync", cron: "every 5m", payload: { team: "a" } }];
    const { pages } = ticking(schedules, NINE + 1234);
    expect((await pages(null))[0]?.events).toEqual([
      {
        identity: "sync@2026-03-02T09:00:00.000Z",
        timestamp: "2026-03-02T09:00:00.000Z",
        type: "resource.changed",
        provenance: {
          platform: "cron",
          platform_event: "schedule.sync",
          author_type: "system",
        },
        payload: { schedule: "sync", interval_ms: 300_000, team: "a" },
      },
    ]);
  });

  it("have the same identity when a poll is repeated because its checkpoint was lost", async () => {
    const { pages } = ticking([{ name: "a", cron: "every 1m" }, daily], NINE + 100);
    const before = JSON.stringify({ a: "2026-03-02T08:00:00Z", daily: "2026-03-01T09:00:00Z" });
    expect(await pages(before)).toEqual(await pages(before));
  });

  it("follow the timezone through the change to summer time", async () => {
    const berlin = { name: "b", cron: "0 9 * * *", timezone: "Europe/Berlin" };
    const cron = ticking([berlin], at("2026-03-28T00:00:00Z"));
    await cron.poll(at("2026-03-28T00:00:00Z"));
    expect(await cron.poll(at("2026-03-28T12:00:00Z"))).toEqual(["b@2026-03-28T08:00:00.000Z"]);
    expect(await cron.poll(at("2026-03-29T12:00:00Z"))).toEqual(["b@2026-03-29T07:00:00.000Z"]);
  });

  it("need both days where both are restricted, as in v1alpha1", () => {
    const source = ticking([{ name: "x", cron: "0 9 1 * 1", timezone: "UTC" }], 0).source;
    expect(source.nextPoll?.(at("2026-01-02T00:00:00Z"))).toBe(at("2026-06-01T09:00:00Z"));
  });
});

describe("after a downtime", () => {
  it("only the last missed tick of each schedule happens", async () => {
    const cron = ticking([daily, { name: "often", cron: "every 1m" }], NINE);
    await cron.poll(NINE);
    expect(await cron.poll(NINE + 3 * 86_400_000 + 61_000)).toEqual([
      "daily@2026-03-05T09:00:00.000Z",
      "often@2026-03-05T09:01:00.000Z",
    ]);
  });

  it("all happen with `catch_up: all`, oldest first and in pages that may be cut anywhere", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 6 }), async (cuts) => {
        const all = { name: "all", cron: "every 1m", catch_up: "all" };
        const hourly = { name: "h", cron: "0 * * * *", catch_up: "all", timezone: "UTC" };
        const cron = ticking([all, hourly], NINE);
        const ticks = await cron.poll(NINE);
        const later = NINE + 600 * 60_000;
        for (const take of [...cuts, undefined]) ticks.push(...(await cron.poll(later, take)));
        expect(new Set(ticks).size).toBe(ticks.length);
        expect(ticks).toHaveLength(601 + 10);
        const times = ticks.map((identity) => identity?.split("@")[1]);
        expect(times).toEqual(times.toSorted());
      }),
      { numRuns: 10 },
    );
  });

  it("a backlog over the bound is worked off over several polls", async () => {
    const cron = ticking([{ name: "s", cron: "every 1s", catch_up: "all" }], NINE);
    await cron.poll(NINE);
    const later = NINE + 2_500_000;
    expect(await cron.poll(later)).toHaveLength(1000);
    expect(await cron.poll(later)).toHaveLength(1000);
    expect(await cron.poll(later)).toHaveLength(500);
    expect(await cron.poll(later)).toHaveLength(0);
  });
});

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * A source on a machine whose clock the test sets; `restart` begins anew with the checkpoint, its
 * own clock by the machine's.
 */
function stepped(schedules: unknown, startMs: number) {
  let wallMs = startMs;
  let ownMs = startMs;
  let checkpoint: string | null = null;
  const config = cronSourceConfig.parse({ schedules });
  const create = () => cronSource(config, { now: () => wallMs, monotonic: () => ownMs });
  let source = create();
  async function poll() {
    const signal = new AbortController().signal;
    const events: EventDraft[] = [];
    for await (const page of source.poll?.(checkpoint, { signal, deadlineMs: wallMs + 1 }) ?? []) {
      events.push(...page.events);
      ({ checkpoint } = page);
    }
    return events;
  }
  return {
    poll,
    step(ms: number) {
      wallMs += ms;
    },
    restart(ms = 0) {
      wallMs += ms;
      ownMs = wallMs;
      source = create();
    },
    resume(text: string) {
      checkpoint = text;
    },
    /** The identities of what happens in `ms`, polled each half minute. */
    async pass(ms: number) {
      const identities: (string | undefined)[] = [];
      for (let left = ms; left >= 0; left -= 30_000) {
        identities.push(...(await poll()).map(({ identity }) => identity));
        const lapMs = Math.min(30_000, left);
        wallMs += lapMs;
        ownMs += lapMs;
      }
      return identities;
    },
  };
}

describe("a clock that is set", () => {
  const often = { name: "often", cron: "*/10 * * * *", timezone: "UTC" };
  const every = { name: "every", cron: "every 10m" };

  it("an hour back: a fixed time happens once, `every` runs on, its ticks counted", async () => {
    const cron = stepped([often, every], NINE);
    await cron.pass(HOUR);
    cron.step(-HOUR);
    const hour = await cron.pass(HOUR - 60_000);
    expect(hour.filter((identity) => identity?.startsWith("often@"))).toEqual([]);
    expect(hour).toEqual([10, 20, 30, 40, 50].map((m) => `every@2026-03-02T10:${m}:00.000Z`));
    expect(await cron.pass(20 * 60_000)).toEqual([
      "every@2026-03-02T11:00:00.000Z",
      "often@2026-03-02T10:10:00.000Z",
      "every@2026-03-02T11:10:00.000Z",
    ]);
  });

  it("an hour back: an interval's event tells the time that the machine has then", async () => {
    const cron = stepped([every], NINE);
    await cron.poll();
    cron.step(-HOUR);
    await cron.pass(10 * 60_000);
    cron.resume('{"every":"2026-03-02T09:00:00.000Z"}');
    const [event] = await cron.poll();
    expect(event).toMatchObject({
      identity: "every@2026-03-02T09:10:00.000Z",
      timestamp: "2026-03-02T08:10:00.000Z",
    });
  });

  it("a day on and back: fixed times go on at once, and the one that came early does not come again", async () => {
    const cron = stepped([daily, often], NINE - 60_000);
    await cron.poll();
    cron.step(DAY);
    expect(await cron.pass(2 * 60_000)).toEqual([
      "daily@2026-03-02T09:00:00.000Z",
      "often@2026-03-03T08:50:00.000Z",
      "daily@2026-03-03T09:00:00.000Z",
      "often@2026-03-03T09:00:00.000Z",
    ]);
    cron.step(-DAY - 2 * 60_000);
    const after = await cron.pass(DAY + 5 * 60_000);
    expect(new Set(after).size).toBe(after.length);
    expect(after[0]).toBe("often@2026-03-02T09:00:00.000Z");
    // Of 145 tens of minutes two came early, and so did both days' nine o'clock.
    expect(after).toHaveLength(143);
    expect(after).not.toContain("daily@2026-03-03T09:00:00.000Z");
  });

  it.each([-HOUR, -DAY, DAY])(
    "by %i ms over a restart: `every` goes on within its interval",
    async (ms) => {
      const cron = stepped([every], NINE);
      const before = await cron.pass(HOUR);
      cron.restart(ms);
      const after = await cron.pass(HOUR);
      expect(after.length).toBeGreaterThanOrEqual(6);
      expect(new Set([...before, ...after]).size).toBe(before.length + after.length);
    },
  );

  it("a checkpoint in the future is read as now, also where the host has no other clock", async () => {
    const future = JSON.stringify({ often: "2026-03-09T09:00:00Z", every: "2026-03-09T09:00:00Z" });
    const cron = stepped([often, every], NINE - 30_000);
    cron.resume(future);
    expect(await cron.pass(11 * 60_000)).toEqual([
      "often@2026-03-02T09:00:00.000Z",
      "every@2026-03-09T09:10:00.000Z",
      "often@2026-03-02T09:10:00.000Z",
      "every@2026-03-09T09:20:00.000Z",
    ]);
    const bare = ticking([often, every], NINE - 30_000);
    bare.resume(future);
    await bare.poll(NINE - 30_000);
    expect(await bare.poll(NINE)).toEqual([
      "often@2026-03-02T09:00:00.000Z",
      "every@2026-03-02T09:00:00.000Z",
    ]);
  });

  it("a fixed time that came before a restart does not come again when the clock passes it once more", async () => {
    const cron = stepped([often], NINE - 60_000);
    await cron.pass(2 * 60_000);
    cron.step(DAY);
    await cron.pass(60_000);
    cron.step(-DAY - 10 * 60_000);
    await cron.poll();
    cron.restart();
    const seen = await cron.pass(DAY + 20 * 60_000);
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).not.toContain("often@2026-03-02T09:00:00.000Z");
    expect(seen).not.toContain("often@2026-03-03T09:00:00.000Z");
    expect(seen[0]).toBe("often@2026-03-02T09:10:00.000Z");
  });

  it("a page that was not kept comes again", async () => {
    const { pages } = ticking([daily], NINE + 5);
    const before = JSON.stringify({ daily: "2026-03-01T09:00:00Z" });
    const [first] = await pages(before);
    expect(await pages(before)).toEqual([first]);
  });

  it("to winter time: what is between two and three happens once, and every ten minutes go on", async () => {
    const berlin = { timezone: "Europe/Berlin", catch_up: "all" };
    const schedules = [
      { name: "half", cron: "30 2 * * *", ...berlin },
      { name: "tens", cron: "*/10 * * * *", ...berlin },
    ];
    const cron = stepped(schedules, at("2026-10-24T22:00:00Z"));
    const night = await cron.pass(6 * HOUR);
    expect(night.filter((identity) => identity?.startsWith("half"))).toHaveLength(1);
    expect(night.filter((identity) => identity?.startsWith("tens")).length).toBeGreaterThan(24);
  });
});

describe("the checkpoint", () => {
  it("resumes from one that OrgLoop 0.7.9 wrote and forgets removed schedules", async () => {
    const cron = ticking([daily], NINE);
    cron.resume('{"daily":"2026-03-01T09:00:12.345Z","removed":"2026-01-01T00:00:00.000Z"}');
    expect(await cron.poll(NINE + 5)).toEqual(["daily@2026-03-02T09:00:00.000Z"]);
    expect(cron.checkpoint()).toBe('{"daily":"2026-03-02T09:00:00.000Z"}');
  });

  it("makes a new schedule begin now, also beside old ones", async () => {
    const cron = ticking([daily, { ...daily, name: "new" }], NINE);
    cron.resume('{"daily":"2026-03-02T09:00:00Z"}');
    expect(await cron.poll(NINE + 1000)).toEqual([]);
    expect(await cron.poll(NINE + 86_400_000)).toEqual([
      "daily@2026-03-03T09:00:00.000Z",
      "new@2026-03-03T09:00:00.000Z",
    ]);
  });

  it.each([
    "{",
    "[",
    "[]",
    "5",
    "null",
    '"2026-01-01T00:00:00Z"',
    '{"daily":5}',
    '{"daily":"never"}',
    '{"daily":{}}',
  ])("that is %s is an error", async (text) => {
    const { pages } = ticking([daily], NINE);
    await expect(pages(text)).rejects.toMatchObject({ code: "INVALID_CHECKPOINT" });
  });
});

describe("hints and limits", () => {
  it("names the next time worth polling at", () => {
    const { source } = ticking([daily, { name: "e", cron: "45s" }], NINE);
    expect(source.nextPoll?.(NINE - 10_000)).toBe(NINE);
    expect(source.nextPoll?.(NINE)).toBe(NINE + 45_000);
    const never = { name: "n", cron: "0 0 30 2 *", payload: {}, catch_up: "last" } as const;
    const silent = cronSource({ schedules: [never] }, { now: () => NINE });
    expect(silent.nextPoll?.(NINE)).toBe(Number.POSITIVE_INFINITY);
  });

  it("yields nothing after the deadline or an abort", async () => {
    const source = cronSource(cronSourceConfig.parse({ schedules: [{ name: "a", cron: "1s" }] }), {
      now: () => NINE,
    });
    const count = async (signal: AbortSignal, deadlineMs: number) =>
      (await Array.fromAsync(source.poll?.(null, { signal, deadlineMs }) ?? [])).length;
    expect(await count(AbortSignal.abort(), NINE + 1)).toBe(0);
    expect(await count(new AbortController().signal, NINE)).toBe(0);
    expect(await count(new AbortController().signal, NINE + 1)).toBe(1);
  });
});

describe("the configuration", () => {
  it.each([
    [{ name: "a", cron: "99 * * * *" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "* * * * * *" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "every 0s" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "soon" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "0 0 30 2 *" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "0 0 31 4,6,9,11 *" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "0 0 30 2 1" }, ["schedules", 0, "cron"]],
    [{ name: "a", cron: "0 9 * * *", timezone: "Mars/Base" }, ["schedules", 0, "timezone"]],
    [{ name: "", cron: "5m" }, ["schedules", 0, "name"]],
  ])("%j is refused at its place", (schedule, path) => {
    const issues = cronSourceConfig.safeParse({ schedules: [schedule] }).error?.issues;
    expect(issues).toMatchObject([{ path }]);
  });

  it.each(["0 0 29 2 *", "0 0 29 2 1", "0 0 31 * *", "59 23 31 12 *"])("%s ticks", (cron) => {
    expect(cronSourceConfig.safeParse({ schedules: [{ name: "a", cron }] }).success).toBe(true);
  });

  it("refuses a name used twice, and none at all", () => {
    const twice = cronSourceConfig.safeParse({ schedules: [daily, daily] });
    expect(twice.error?.issues).toMatchObject([{ path: ["schedules", 1, "name"] }]);
    expect(cronSourceConfig.safeParse({ schedules: [] }).success).toBe(false);
    expect(connector.id).toBe("cron");
  });
});
