import fc from "fast-check";
import { expect, test } from "vitest";
import { compileFilter } from "./compile-filter.ts";
import { anyFilter, anyPayload, eventOf } from "./filter-fixture.ts";
import { naiveFilter } from "./naive-matcher-fixture.ts";

test("a filter agrees with a search through every choice of leaves", () => {
  let matched = 0;
  const runs = 20_000;
  fc.assert(
    fc.property(anyPayload, anyFilter, (payload, one) => {
      const expected = naiveFilter({ payload }, one);
      matched += expected ? 1 : 0;
      expect(compileFilter(one)(eventOf(payload))).toBe(expected);
    }),
    { numRuns: runs, seed: 20 },
  );
  expect(matched).toBeGreaterThan(runs / 20);
});

test("conditions on many arrays at once cost no more than the event is long", () => {
  const names = Array.from({ length: 12 }, (_, at) => `list${at}`);
  const payload = Object.fromEntries(
    names.map((name) => [name, Array.from({ length: 2_000 }, (_, at) => ({ x: at, y: at }))]),
  );
  const wanted = names.flatMap((name): [string, unknown][] => [
    [`payload.${name}.x`, [{ numeric: [">=", 0] }]],
    [`payload.${name}.y`, [{ numeric: [">=", 0] }]],
  ]);
  const last = ["payload.list11.z", [{ exists: true }]];
  expect(compileFilter(Object.fromEntries([...wanted, last]))(eventOf(payload))).toBe(false);
});

test("lists in lists are not searched for every way to their elements", () => {
  let nested: unknown = [{ x: 1 }, { y: 1 }];
  for (let depth = 0; depth < 200; depth += 1) nested = [nested];
  const holds = compileFilter({ "payload.a.0.0.0.0.x": [1], "payload.a.0.0.0.0.y": [1] });
  expect(holds(eventOf({ a: nested }))).toBe(false);
});
