import type { ExpectedOutcome } from "@orgloop/config/tests";
import type { TriedEvent, TriedRoute } from "@orgloop/node";
import type { OrgLoopEvent, Topology } from "@orgloop/sdk";
import { expect, it } from "vitest";
import { compare } from "./compare.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-01-01T00:00:00Z",
  source: "hub",
  type: "resource.changed",
  provenance: { platform: "test" },
  payload: { team: "web", size: 3 },
  trace_id: "trc_1",
};
const delivered: TriedRoute = {
  kind: "delivered",
  delivery: {
    event,
    route: "a",
    actor: "bot",
    orderingKey: "acme/api#1",
    config: { subject: "one", nested: { x: 1 } },
    replay: 0,
  },
};
const topology = {
  routes: [{ name: "a", with: { prompt: { file: "modules/m/sops/review.md" } } }],
} as unknown as Topology;

it("a route that does not match says which condition stopped the event", () => {
  const filter = { "payload.size": [{ numeric: [">", 5] }] };
  const when = { source: ["hub"], events: ["resource.changed"], filter };
  const routes = [{ name: "a", when, then: { actor: "bot" } }] as unknown as Topology["routes"];
  const expected = {
    routes: new Map([["a", { kind: "delivered", transform: null } as ExpectedOutcome]]),
    others: true,
    at: () => ({ line: 1, column: 1 }),
  } as unknown as Parameters<typeof compare>[0];
  const tried: TriedEvent = { routes: new Map(), failed: new Map(), passed: [] };
  const [found] = compare(expected, tried, { ...topology, routes }, () => true, event);
  expect(found?.got).toMatch(/^the route does not match: payload\.size: expected .*5.*, found 3$/);
});

function differences(
  wanted: Readonly<Record<string, Partial<ExpectedOutcome>>>,
  tried: Readonly<Record<string, TriedRoute>>,
  {
    others = false,
    passed = [] as TriedEvent["passed"],
    failed = {} as Readonly<Record<string, string>>,
  } = {},
): string[] {
  const routes = new Map(
    Object.entries(wanted).map(([name, one]) => [
      name,
      { kind: "delivered", transform: null, ...one } as ExpectedOutcome,
    ]),
  );
  const at = (...path: readonly string[]) => ({ line: 1, column: 1, path: path.join("/") });
  const passes = (filter: Readonly<Record<string, unknown>>) =>
    Object.values(filter).every((value) => value !== "wrong");
  return compare(
    { routes, others, at },
    {
      routes: new Map(Object.entries(tried)),
      failed: new Map(Object.entries(failed)),
      passed,
    },
    topology,
    passes,
  ).map(({ path, expected, got }) => `${path}: ${String(expected)}, got ${String(got)}`);
}

const dropped: TriedRoute = { kind: "dropped", transform: "bots" };
const halted: TriedRoute = { kind: "halted", transform: "check", error: "no" };

it("what is as expected is no difference", () => {
  const outcome = {
    actor: "bot",
    key: "acme/api#1",
    prompt_file: "../sops/review.md",
    config: { nested: { x: 1 } },
    event: { "payload.team": "web" },
  };
  expect(differences({ a: outcome }, { a: delivered })).toEqual([]);
  expect(differences({ a: {} }, { a: delivered, b: dropped }, { others: true })).toEqual([]);
  expect(differences({ a: { kind: "dropped" } }, { a: dropped })).toEqual([]);
  expect(differences({ a: { kind: "halted", transform: "check" } }, { a: halted })).toEqual([]);
  expect(differences({}, {})).toEqual([]);
});

it.each<[string, string[], string[]]>([
  [
    "another outcome, or a route too many or too few",
    differences({ a: { kind: "dropped", transform: "once" }, c: {} }, { a: dropped, b: halted }),
    [
      'routes/a: dropped by "once", got dropped by "bots"',
      "routes/c: delivered, got the route does not match",
      ': no further route, got halted by "check": no',
    ],
  ],
  [
    "a route where none should be",
    differences({}, { a: delivered }),
    [": no route, got delivered to bot"],
  ],
  [
    "every value of a delivery",
    differences(
      {
        a: {
          actor: "eve",
          key: "x",
          prompt_file: "sops/answer.md",
          config: { subject: "two", other: 1 },
          event: { "payload.size": "wrong", "payload.none": "wrong", $or: "wrong" },
        },
      },
      { a: delivered },
    ),
    [
      "routes/a/actor: eve, got bot",
      "routes/a/event/payload.size: wrong, got 3",
      "routes/a/event/payload.none: wrong, got undefined",
      "routes/a/event/$or: wrong, got none of these",
      "routes/a/config/subject: two, got one",
      "routes/a/config/other: 1, got undefined",
      "routes/a/key: x, got acme/api#1",
      "routes/a/prompt_file: sops/answer.md, got modules/m/sops/review.md",
    ],
  ],
])("%s", (_, found, wanted) => expect(found).toEqual(wanted));

it("a transform that fails must be expected, and one that is expected must fail", () => {
  const passed = [{ route: "a", transform: "check", error: "no" }];
  expect(differences({ a: {} }, { a: delivered }, { passed })).toEqual([
    'routes/a: no transform that fails, got "check" failed: no',
  ]);
  expect(differences({ a: { passed_by: "check" } }, { a: delivered }, { passed })).toEqual([]);
  expect(differences({ a: { passed_by: "check" } }, { a: delivered })).toEqual([
    'routes/a/passed_by: "check" fails and lets the event through, got no failure',
  ]);
});

it("a route that cannot be run is told once, expected or not", () => {
  const failed = { a: "transform broken", b: "transform broken" };
  expect(differences({ a: {} }, {}, { others: true, failed })).toEqual([
    "routes/a: a route that runs, got transform broken",
    "routes/b: a route that runs, got transform broken",
  ]);
});
