import type { EventType, OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileMatcher, type Matcher } from "./compile-matcher.ts";
import { contradictions } from "./contradictions.ts";
import { explainRoute } from "./explain-route.ts";
import { anyFilter, anyPayload, eventOf } from "./filter-fixture.ts";
import { naiveMatch } from "./naive-matcher-fixture.ts";

const TYPES: readonly EventType[] = ["resource.changed", "actor.stopped", "message.received"];
const SOURCES = Array.from({ length: 20 }, (_, at) => `s${at}`);

function routeOf(name: string, when: RouteSpec["when"]): RouteSpec {
  const delivery = {} as RouteSpec["delivery"];
  return { name, when, transforms: [], then: { actor: "a", config: {} }, delivery };
}

const anyWhen = fc.record({
  source: fc.oneof(
    { arbitrary: fc.constantFrom(["s0"], ["s1", "s0"], ["s1"]), weight: 8 },
    fc.constantFrom(SOURCES, SOURCES.slice(1), SOURCES.slice(0, 17)),
  ),
  events: fc.constantFrom<EventType[]>(["resource.changed"], ["resource.changed"], [...TYPES]),
  filter: anyFilter,
});
const anyRoutes = fc
  .array(anyWhen, { minLength: 1, maxLength: 60, size: "max" })
  .map((all) => all.map((when, at) => routeOf(`r${at}`, when)));
const anyEvent = fc
  .tuple(
    anyPayload,
    fc.constantFrom("s0", "s1", "s9", "none"),
    fc.constantFrom<EventType>("resource.changed", ...TYPES),
  )
  .map(([payload, source, type]) => eventOf(payload, { source, type }));
const anyEvents = fc.array(anyEvent, { minLength: 3, maxLength: 6 });

const names = (matcher: Matcher, event: OrgLoopEvent) =>
  matcher.match(event).map(({ name }) => name);

describe("the index", () => {
  test("finds the routes that a look at each one finds, in their order", () => {
    let matched = 0;
    const look = fc.property(anyRoutes, anyEvents, (routes, events) => {
      const matcher = compileMatcher(routes);
      for (const event of events) {
        const expected = naiveMatch(routes, event);
        matched += expected.length;
        expect(names(matcher, event)).toEqual(expected);
      }
    });
    fc.assert(look, { numRuns: 2_000 });
    expect(matched).toBeGreaterThan(10_000);
  });

  test("finds them after each apply, whatever it changed, and so does the one before", () => {
    const change = fc.record({
      at: fc.nat(),
      kind: fc.constantFrom("change", "add", "remove", "move", "actor"),
      when: anyWhen,
    });
    const applies = fc.array(fc.array(change, { maxLength: 3 }), { minLength: 1, maxLength: 4 });
    const run = fc.property(anyRoutes, applies, anyEvents, (first, changes, events) => {
      let routes = first;
      let earlier = compileMatcher(routes);
      for (const changed of changes) {
        const next = structuredClone(changed.reduce(applied, routes));
        const matcher = compileMatcher(next, { earlier });
        for (const event of events) {
          expect(names(matcher, event)).toEqual(naiveMatch(next, event));
          expect(names(earlier, event)).toEqual(naiveMatch(routes, event));
          for (const route of matcher.match(event)) expect(next).toContain(route);
        }
        routes = next;
        earlier = matcher;
      }
    });
    fc.assert(run, { numRuns: 300 });
  });

  test("is explained: a route is stopped by what keeps it from matching, and by nothing else", () => {
    const look = fc.property(anyRoutes, anyEvents, (routes, events) => {
      for (const event of events) {
        const explained = routes.filter((route) => explainRoute(route, event).matched);
        expect(explained.map(({ name }) => name)).toEqual(naiveMatch(routes, event));
      }
    });
    fc.assert(look, { numRuns: 300 });
  });

  test("matches nothing by a route that contradicts itself", () => {
    let contradictory = 0;
    const look = fc.property(anyRoutes, anyEvents, (routes, events) => {
      const never = routes.filter((one) => contradictions(one).some(({ branch }) => !branch));
      contradictory += never.length;
      for (const event of events) expect(naiveMatch(never, event)).toEqual([]);
    });
    fc.assert(look, { numRuns: 500 });
    expect(contradictory).toBeGreaterThan(100);
  });
});

function applied(
  routes: readonly RouteSpec[],
  { at, kind, when }: { at: number; kind: string; when: RouteSpec["when"] },
): RouteSpec[] {
  const place = routes.length === 0 ? 0 : at % routes.length;
  const [here] = routes.slice(place, place + 1);
  if (kind === "add" || here === undefined) {
    return [...routes.slice(0, place), routeOf(`n${at}`, when), ...routes.slice(place)];
  }
  const rest = routes.toSpliced(place, 1);
  if (kind === "remove") return rest;
  if (kind === "move") return [...rest, here];
  const changed =
    kind === "change" ? { ...here, when } : { ...here, then: { actor: `b${at}`, config: {} } };
  return routes.toSpliced(place, 1, changed);
}

describe("an apply", () => {
  const routes = Array.from({ length: 100 }, (_, at) =>
    routeOf(`r${at}`, {
      source: [`s${at % 2}`],
      events: ["resource.changed"],
      filter: { "payload.repo": [`repo-${at}`] },
    }),
  );
  const indexes = (matcher: Matcher) =>
    Array.from(
      (matcher as unknown as { buckets: Map<string, { index: object }> }).buckets.values(),
    ).map(({ index }) => index);

  test("makes anew the index of what changed, and no other", () => {
    const earlier = compileMatcher(routes);
    const next = structuredClone(routes).toSpliced(4, 1, {
      ...routes[4],
      when: { ...routes[4]?.when, filter: { "payload.repo": ["other"] } },
    } as RouteSpec);
    const [even, odd] = indexes(compileMatcher(next, { earlier }));
    expect(odd).toBe(indexes(earlier)[1]);
    expect(even).not.toBe(indexes(earlier)[0]);
  });

  test("keeps nothing of the configurations before the last", () => {
    let matcher = compileMatcher(routes);
    const first = new WeakRef(matcher);
    for (let at = 0; at < 3; at += 1) {
      matcher = compileMatcher(structuredClone(routes), { earlier: matcher });
    }
    expect(matcher).not.toBe(first.deref());
    expect(names(matcher, eventOf({ repo: "repo-0" }))).toEqual(["r0"]);
  });
});

describe("an event", () => {
  test("is read once at each path, however many routes ask", () => {
    let reads = 0;
    const payload = {
      get repo() {
        reads += 1;
        return "repo-7";
      },
    };
    const routes = Array.from({ length: 1_000 }, (_, at) =>
      routeOf(`r${at}`, {
        source: ["s0"],
        events: ["resource.changed"],
        filter: {
          "payload.repo": at % 2 === 0 ? `repo-${at}` : [{ "anything-but": `repo-${at}` }],
        },
      }),
    );
    let matcher = compileMatcher(routes);
    expect(matcher.match(eventOf(payload))).toHaveLength(499);
    expect(reads).toBe(1);
    for (const place of [0, 2]) {
      const filter = { "payload.repo": [{ suffix: `-${place}` }] };
      const when = { ...(routes[place] as RouteSpec).when, filter };
      const changed = routes.toSpliced(place, 1, routeOf("changed", when));
      matcher = compileMatcher(structuredClone(changed), { earlier: matcher });
    }
    reads = 0;
    expect(matcher.match(eventOf(payload))).toHaveLength(499);
    expect(reads).toBe(1);
  });

  test("meets the fault of a route without a filter to ask, where its source and type let it", () => {
    const when = { source: ["s0"], events: ["resource.changed"] } as const;
    const broken = routeOf("broken", { ...when, filter: { "payload.a": [{ prefix: 1 }] } });
    const unset = routeOf("unset", when);
    const matcher = compileMatcher([broken, unset, routeOf("sound", when)], {
      faults: new Map([["unset", new Error("TEAM is not set")]]),
      tolerant: true,
    });
    const faults: string[] = [];
    const matched = matcher.match(eventOf({}), (route, error) => {
      faults.push(`${route.name}: ${(error as Error).message.split(":")[0]}`);
    });
    expect(matched.map(({ name }) => name)).toEqual(["sound"]);
    expect(faults).toEqual(['broken: route "broken"', "unset: TEAM is not set"]);
    expect(matcher.match(eventOf({}, { source: "s1" }))).toEqual([]);
    expect(() => compileMatcher([broken])).toThrow(/route "broken".*expected text/);
  });
});
