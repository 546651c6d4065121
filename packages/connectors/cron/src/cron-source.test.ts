import type { SourcePage } from "@orgloop/sdk";
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

  it.each(["{", "[", '{"daily":"never"}', '{"daily":{}}'])(
    "that is %s is an error",
    async (text) => {
      const { pages } = ticking([daily], NINE);
      await expect(pages(text)).rejects.toMatchObject({ code: "INVALID_CHECKPOINT" });
    },
  );
});

describe("hints and limits", () => {
  it("names the next time worth polling at", () => {
    const { source } = ticking([daily, { name: "e", cron: "45s" }], NINE);
    expect(source.nextPoll?.(NINE - 10_000)).toBe(NINE);
    expect(source.nextPoll?.(NINE)).toBe(NINE + 45_000);
    const never = ticking([{ name: "n", cron: "0 0 30 2 *" }], NINE);
    expect(never.source.nextPoll?.(NINE)).toBe(Number.POSITIVE_INFINITY);
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
    [{ name: "a", cron: "0 9 * * *", timezone: "Mars/Base" }, ["schedules", 0, "timezone"]],
    [{ name: "", cron: "5m" }, ["schedules", 0, "name"]],
  ])("%j is refused at its place", (schedule, path) => {
    const issues = cronSourceConfig.safeParse({ schedules: [schedule] }).error?.issues;
    expect(issues).toMatchObject([{ path }]);
  });

  it("refuses a name used twice, and none at all", () => {
    const twice = cronSourceConfig.safeParse({ schedules: [daily, daily] });
    expect(twice.error?.issues).toMatchObject([{ path: ["schedules", 1, "name"] }]);
    expect(cronSourceConfig.safeParse({ schedules: [] }).success).toBe(false);
    expect(connector.id).toBe("cron");
  });
});
