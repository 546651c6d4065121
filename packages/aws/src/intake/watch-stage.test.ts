import { CLOSED, HEALTHY } from "@orgloop/engine";
import type { LogEntry, RouteState } from "@orgloop/sdk";
import { expect, test } from "vitest";
import type { METRICS } from "../plan/metric-names.ts";
import type { SourceState } from "../state/source-states.ts";
import { sourceHealth } from "./source-health.ts";
import { watchStage } from "./watch-stage.ts";

const MINUTE = 60_000;
const NOW = Date.parse("2026-11-28T03:00:00Z");
const DEPLOYED = NOW - 24 * 60 * MINUTE;

const state = (fields: Partial<SourceState> = {}): SourceState => ({
  checkpoint: null,
  polledMs: NOW - MINUTE,
  events: 0,
  failures: 0,
  unended: 0,
  leaseUntilMs: null,
  illLists: [],
  ...fields,
});

async function watched(
  states: Readonly<Record<string, SourceState | undefined>>,
  routes: Readonly<Record<string, RouteState>> = {},
  appliedAt = DEPLOYED,
) {
  const counts: Partial<Record<keyof typeof METRICS, number>> = {};
  const entries: Omit<LogEntry, "timestamp">[] = [];
  await watchStage({
    sources: Object.keys(states).map((id) => ({ id, interval_ms: 5 * MINUTE })),
    states: async () =>
      new Map(Object.entries(states).flatMap(([id, one]) => (one ? [[id, one] as const] : []))),
    routes: { load: async () => new Map(Object.entries(routes)) },
    applied: async () => ({ applied_at: new Date(appliedAt).toISOString() }),
    now: () => NOW,
    flow: {
      log: (entry) => entries.push(entry),
      count: (metric, value = 1) => {
        counts[metric] = value;
      },
    },
  });
  return { counts, entries };
}

test("sources that are polled in time are counted, and nothing is said", async () => {
  const { counts, entries } = await watched({ hub: state(), octo: state({ failures: 2 }) });
  expect(counts).toEqual({
    ...{ sourcesWatched: 2, sourcesStale: 0, sourcesFailing: 0, breakersOpen: 0 },
  });
  expect(entries).toEqual([]);
});

test("a source that was not polled for several intervals is stale, also one that never was", async () => {
  const { counts, entries } = await watched({
    late: state({ polledMs: NOW - 21 * MINUTE }),
    never: undefined,
    well: state({ polledMs: NOW - 19 * MINUTE }),
  });
  expect(counts.sourcesStale).toBe(2);
  expect(entries.map(({ phase, source }) => [phase, source])).toEqual([
    ["alert", "late"],
    ["alert", "never"],
  ]);
});

test("one that was just deployed, is being polled, or asked to be left alone is not", async () => {
  const resting = state({ polledMs: NOW - 300 * MINUTE, leaseUntilMs: NOW + 60 * MINUTE });
  expect((await watched({ resting })).counts.sourcesStale).toBe(0);
  expect((await watched({ fresh: undefined }, {}, NOW - MINUTE)).counts.sourcesStale).toBe(0);
});

test("three failures in a row, or three polls that never ended, are failing", async () => {
  const { counts, entries } = await watched({
    refused: state({ failures: 3 }),
    killed: state({ unended: 3 }),
  });
  expect(counts.sourcesFailing).toBe(2);
  expect(entries.map(({ source }) => source)).toEqual(["refused", "killed"]);
});

test("breakers that are open now are counted and named; of a thousand the first are", async () => {
  const open = {
    ...HEALTHY,
    breaker: { ...CLOSED, openUntilMs: NOW + MINUTE, cooldownMs: MINUTE },
  };
  const { counts, entries } = await watched({}, { ill: open, rated: { ...HEALTHY, rateMs: 1 } });
  expect(counts.breakersOpen).toBe(1);
  expect(entries).toEqual([{ phase: "alert", route: "ill", error: "its breaker is open" }]);
  const many = Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`r${at}`, open]));
  expect((await watched({}, many)).entries).toHaveLength(51);
});

test("status says the same: stale before degraded", () => {
  const of = (one: SourceState | undefined) =>
    sourceHealth(one, { intervalMs: 5 * MINUTE, sinceMs: DEPLOYED }, NOW);
  expect(of(state())).toBe("active");
  expect(of(state({ failures: 1 }))).toBe("degraded");
  expect(of(state({ failures: 9, polledMs: NOW - 60 * MINUTE }))).toBe("stale");
  expect(of(undefined)).toBe("stale");
  const received = { intervalMs: Number.POSITIVE_INFINITY, sinceMs: DEPLOYED };
  expect(sourceHealth(undefined, received, NOW)).toBe("active");
});
