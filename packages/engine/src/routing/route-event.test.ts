import type { LogEntry, OrgLoopEvent, RouteSpec, SourceSpec } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { compileMatcher } from "./match/compile-matcher.ts";
import { type Router, routeEvent } from "./route-event.ts";
import type { EndedRoute } from "./routed-route.ts";
import type { RouteTransform } from "./transforms.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github" },
  payload: { number: 7, repo: "acme/api", author: { login: "mona" } },
  trace_id: "trc_1",
  ordering_key: "acme/api#7",
};

function route(name: string, change: Partial<RouteSpec> = {}): RouteSpec {
  return {
    name,
    when: { source: ["github"], events: ["resource.changed"] },
    transforms: [],
    then: { actor: `${name}-actor`, config: {} },
    delivery: {
      burst: 1,
      overflow: "drop_oldest",
      timeout: "30s",
      order: "key",
      concurrency: 16,
      retry: {
        max_attempts: 3,
        backoff: "fixed",
        initial_delay: "1s",
        max_delay: "1s",
        jitter: "none",
      },
      circuit_breaker: false,
    },
    ...change,
  };
}

function run(
  routes: RouteSpec[],
  options: {
    settled?: string[];
    transforms?: Record<string, RouteTransform[]>;
    source?: Partial<SourceSpec>;
  } = {},
) {
  const entries: Omit<LogEntry, "timestamp">[] = [];
  const router: Router = {
    matcher: compileMatcher(routes),
    sources: new Map([["github", { id: "github", connector: "c", config: {}, ...options.source }]]),
    transformsOf: ({ name }) => options.transforms?.[name] ?? [],
    promptOf: () => undefined,
    now: () => 0,
    log: (entry) => entries.push(entry),
  };
  return routeEvent(event, router, new Set(options.settled)).then(async ({ routes, matched }) => ({
    matched,
    routes,
    ...sorted(await Promise.all(routes.map((one) => (one.kind === "in lane" ? one.run() : one)))),
    phases: entries.map(({ phase, route }) => (route === undefined ? phase : `${phase} ${route}`)),
  }));
}

function sorted(ended: readonly EndedRoute[]) {
  return {
    deliveries: ended.flatMap((one) => (one.kind === "delivery" ? [one.delivery] : [])),
    ended: ended.flatMap((one) => (one.kind === "ended" ? [{ route: one.route, by: one.by }] : [])),
    faults: ended.flatMap((one) => (one.kind === "fault" ? [one] : [])),
  };
}

const set = (name: string, payload: Record<string, unknown>): RouteTransform => ({
  name,
  onError: "pass",
  inline: true,
  execute: async (from) => ({ ...from, payload: { ...from.payload, ...payload } }),
});
const drop: RouteTransform = {
  name: "drop",
  onError: "pass",
  inline: true,
  execute: async () => null,
};
const fail = (onError: RouteTransform["onError"]): RouteTransform => ({
  name: "fail",
  onError,
  inline: true,
  execute: () => Promise.reject(new Error("broken")),
});

test("every matching route fires in the order of the configuration, each on the original event", async () => {
  const { deliveries, matched } = await run(
    [
      route("a"),
      route("other", { when: { source: ["x"], events: ["resource.changed"] } }),
      route("b"),
    ],
    { transforms: { a: [set("mark", { marked: true })] } },
  );
  expect(matched).toEqual(["a", "b"]);
  expect(deliveries.map((delivery) => [delivery.route, delivery.event.payload])).toEqual([
    ["a", { ...event.payload, marked: true }],
    ["b", event.payload],
  ]);
});

test("routes settled before a restart are left out, and their transforms do not run again", async () => {
  const { deliveries, matched, phases } = await run([route("a"), route("b")], { settled: ["a"] });
  expect(deliveries.map((delivery) => delivery.route)).toEqual(["b"]);
  expect(matched).toEqual(["a", "b"]);
  expect(phases).toEqual(["route.match b"]);
});

test("a dropped, a halted and a failing route end as their transforms say, the others go on", async () => {
  const { deliveries, ended, phases } = await run(
    ["drop", "pass", "on-drop", "on-halt", "plain"].map((name) => route(name)),
    {
      transforms: {
        drop: [drop, set("never", {})],
        pass: [fail("pass"), set("after", { after: true })],
        "on-drop": [fail("drop")],
        "on-halt": [fail("halt")],
      },
    },
  );
  expect(ended).toEqual([
    { route: "drop", by: "drop" },
    { route: "on-drop", by: "drop" },
    { route: "on-halt", by: "halt" },
  ]);
  expect(deliveries.map((delivery) => delivery.route)).toEqual(["pass", "plain"]);
  expect(deliveries[0]?.event.payload).toMatchObject({ after: true });
  expect(phases).toEqual([
    "route.match drop",
    "transform.drop drop",
    "route.match pass",
    "transform.error pass",
    "transform.pass pass",
    "route.match on-drop",
    "transform.error_drop on-drop",
    "route.match on-halt",
    "transform.error_halt on-halt",
    "route.match plain",
  ]);
});

test("an event that no route takes is said to be so", async () => {
  const { deliveries, phases } = await run([]);
  expect(deliveries).toEqual([]);
  expect(phases).toEqual(["route.no_match"]);
});

test("then.config is filled in from the transformed event: top-level strings only, nothing where a path leads nowhere", async () => {
  const then = {
    actor: "a",
    config: {
      title: "{{payload.repo}}#{{ payload.number }} by {{payload.author.login}}{{payload.missing}}",
      nested: { keep: "{{payload.repo}}" },
      count: 3,
    },
  };
  const { deliveries } = await run([route("a", { then })], {
    transforms: { a: [set("rename", { repo: "acme/web" })] },
  });
  expect(deliveries[0]?.config).toEqual({
    title: "acme/web#7 by mona",
    nested: { keep: "{{payload.repo}}" },
    count: 3,
  });
});

test("the ordering key: the route's path, else the source's, else the connector's, else the source", async () => {
  const delivery = { ...route("a").delivery, key: "payload.author.login" };
  const keyOf = async (change: Partial<RouteSpec>, source: Partial<SourceSpec> = {}) =>
    (await run([route("a", change)], { source })).deliveries[0]?.orderingKey;
  expect(await keyOf({ delivery }, { key: "payload.repo" })).toBe("mona");
  expect(await keyOf({}, { key: "payload.repo" })).toBe("acme/api");
  expect(await keyOf({}, { key: "payload.missing" })).toBe("acme/api#7");
  expect(await keyOf({})).toBe("acme/api#7");
});
