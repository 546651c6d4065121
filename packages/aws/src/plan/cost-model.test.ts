import type { Topology } from "@orgloop/sdk";
import fc from "fast-check";
import { expect, test } from "vitest";
import { COST_ASSUMPTIONS, type CostAssumptions, stageCost } from "./cost-model.ts";
import { PRICES, PRICES_READ } from "./prices.ts";

/** Only what the cost depends on. */
const topology = (sources: number, actors: number, interval = "5m", aws = {}) =>
  ({
    sources: Array.from({ length: sources }, (_, at) => ({ id: `s${at}`, poll: { interval } })),
    actors: Array.from({ length: actors }, (_, at) => ({ id: `a${at}` })),
    routes: [],
    defaults: { poll_interval: "5m", event_retention: "7d" },
    aws,
  }) as unknown as Topology;

const polled = () => ({ polled: true, received: false });
const received = () => ({ polled: false, received: true });

const usdOf = (cost: ReturnType<typeof stageCost>, what: string) =>
  cost.lines.filter((line) => line.what.startsWith(what)).reduce((sum, { usd }) => sum + usd, 0);

test("a worked example: one source every 5 minutes, one actor", () => {
  const cost = stageCost(topology(1, 1), polled);
  // 8,766 ticks a month at $1 a million; two queues, five connections each, three asks a minute, at
  // $0.50 a million.
  expect(usdOf(cost, "ticks")).toBeCloseTo(0.008766, 6);
  expect(usdOf(cost, "queues that")).toBeCloseTo(0.65745, 5);
  // 8,766 polls of 0.8 s with half a gigabyte.
  expect(usdOf(cost, "polling")).toBeCloseTo(8766 * 0.4 * 0.0000133334, 8);
  expect(cost.monthly_usd).toBeCloseTo(
    cost.lines.reduce((sum, { usd }) => sum + usd, 0),
    9,
  );
});

test("inboxes are looked at once a minute, and what goes through them is written there", () => {
  const without = stageCost(topology(1, 1), polled);
  const route = (inbox: boolean) => ({ then: { actor: "a0", config: { inbox } } });
  const mixed = { ...topology(1, 1), routes: [route(true), route(false)] } as unknown as Topology;
  const cost = stageCost(mixed, polled);
  // 32 partitions, 43,830 minutes a month.
  const reads = cost.lines.find(
    ({ price, what }) => price === "dynamodb_read" && /inbox/.test(what),
  );
  expect(reads?.quantity).toBeCloseTo(32 * 43_830, 0);
  expect(cost.idle_usd - without.idle_usd).toBeGreaterThan(0.1);
  expect(cost.idle_usd - without.idle_usd).toBeLessThan(0.5);
  expect(cost.per_million_events_usd).toBeGreaterThan(without.per_million_events_usd);
});

test("what costs money when nothing happens is told apart", () => {
  const cost = stageCost(topology(10, 10), received, { events_per_source_per_day: 0 });
  expect(cost.events).toBe(0);
  expect(cost.idle_usd).toBeCloseTo(cost.monthly_usd, 9);
  expect(stageCost(topology(10, 10), received).idle_usd).toBeCloseTo(cost.idle_usd, 9);
});

test("a month is what stands idle and what its events cost", () => {
  const cost = stageCost(topology(40, 12), polled);
  const expected = cost.idle_usd + (cost.events / 1e6) * cost.per_million_events_usd;
  expect(cost.monthly_usd).toBeCloseTo(expected, 6);
});

test("more of anything never costs less", () => {
  const names = Object.keys(COST_ASSUMPTIONS) as (keyof CostAssumptions)[];
  const dearer = names.filter((name) => !name.endsWith("_batch"));
  fc.assert(
    fc.property(
      fc.nat(50),
      fc.nat(50),
      fc.constantFrom(...dearer),
      fc.double({ min: 1, max: 20, noNaN: true }),
      (sources, actors, name, factor) => {
        const before = stageCost(topology(sources, actors), polled).monthly_usd;
        const more = { [name]: COST_ASSUMPTIONS[name] * factor };
        expect(
          stageCost(topology(sources, actors), polled, more).monthly_usd,
        ).toBeGreaterThanOrEqual(before - 1e-9);
        expect(stageCost(topology(sources + 1, actors), polled).monthly_usd).toBeGreaterThan(
          before,
        );
        expect(stageCost(topology(sources, actors + 1), polled).monthly_usd).toBeGreaterThan(
          before,
        );
      },
    ),
  );
});

test("webhooks over API Gateway cost its requests, over a function URL none", () => {
  const api = stageCost(topology(1, 1, "5m", { ingress: "api_gateway" }), received);
  expect(usdOf(api, "webhooks")).toBeGreaterThan(0);
  expect(usdOf(stageCost(topology(1, 1), received), "webhooks")).toBe(0);
});

test("every price has a page where it was read, and a date", () => {
  for (const { usd, source } of Object.values(PRICES)) {
    expect(usd).toBeGreaterThan(0);
    expect(source).toMatch(/^https:\/\/aws\.amazon\.com\/[\w-]+\/pricing\/$/);
  }
  expect(PRICES_READ.date).toMatch(/^\d{4}-\d\d-\d\d$/);
});
