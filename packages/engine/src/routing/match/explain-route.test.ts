import type { OrgLoopEvent, RouteSpec } from "@orgloop/sdk";
import { describe, expect, test } from "vitest";
import { contradictions } from "./contradictions.ts";
import { explainRoute } from "./explain-route.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", author: "Octocat" },
  trace_id: "trc_1",
  payload: {
    action: "closed",
    size: 42,
    tags: ["a", "b"],
    empty: [],
    pull: { number: 7 },
    labels: [
      { name: "p1", color: "red" },
      { name: "infra", color: "blue" },
    ],
  },
};

const route = (
  filter: Record<string, unknown>,
  when: Partial<RouteSpec["when"]> = {},
): RouteSpec => ({
  name: "r",
  when: { source: ["github"], events: ["resource.changed"], filter, ...when },
  transforms: [],
  then: { actor: "a", config: {} },
  delivery: {} as RouteSpec["delivery"],
});

function stopOf(filter: Record<string, unknown>, when?: Partial<RouteSpec["when"]>) {
  const explained = explainRoute(route(filter, when), event);
  return explained.matched ? undefined : explained.stoppedBy;
}

describe("the first predicate that stopped a route", () => {
  test.each([
    [{ "payload.action": "opened" }, "equals", '"opened"', '"closed"'],
    [
      { "payload.action": ["opened", { prefix: "re" }] },
      "any of",
      '"opened" or text that begins with "re"',
      '"closed"',
    ],
    [
      { "payload.action": [{ suffix: { "equals-ignore-case": "X" } }] },
      "suffix",
      'text that ends with "X" in any case',
      '"closed"',
    ],
    [
      { "payload.size": [{ numeric: [">", 50, "<", 99] }] },
      "numeric",
      "a number > 50 and < 99",
      "42",
    ],
    [{ "payload.missing": [{ exists: true }] }, "exists", "any value", "nothing"],
    [{ "payload.size": [{ exists: false }] }, "exists", "no value", "42"],
    [{ "payload.pull": [{ exists: true }] }, "exists", "any value", "a mapping"],
    [{ "payload.tags": ["c"] }, "equals", '"c"', '"a", "b"'],
    [{ "payload.tags": "a" }, "equals", '"a"', "a list"],
    [{ "payload.empty": ["a"] }, "equals", '"a"', "an empty list"],
    [
      { "payload.action": [{ "anything-but": { wildcard: ["c*d", "x"] } }] },
      "anything-but",
      'anything but text like "c*d" or text like "x"',
      '"closed"',
    ],
    [
      { "payload.labels.name": ["p1"], "payload.labels.color": ["blue"] },
      "together",
      'one element with payload.labels.name: "p1", payload.labels.color: "blue"',
      '"red", "blue"',
    ],
  ])("%j: %s", (filter, operator, expected, found) => {
    expect(stopOf(filter)).toMatchObject({ operator, expected, found });
  });

  test("is told by its place, and what holds is passed over", () => {
    const stop = stopOf({ "payload.size": [42], "payload.action": ["opened"] });
    expect(stop?.place).toEqual(["when", "filter", "payload.action"]);
    expect(stop?.values).toEqual(["closed"]);
    expect(stopOf({ "payload.size": [42] })).toBeUndefined();
  });

  test("source and type come first", () => {
    expect(stopOf({}, { source: ["a", "b"] })).toMatchObject({
      place: ["when", "source"],
      expected: '"a" or "b"',
      found: '"github"',
    });
    expect(stopOf({}, { events: ["actor.stopped"] })).toMatchObject({ place: ["when", "events"] });
  });

  test("of a choice, what stopped each branch, together with what stands around it", () => {
    const stop = stopOf({
      "payload.labels.name": ["p1"],
      $or: [{ "payload.size": [1] }, { "payload.labels.color": ["blue"] }],
    });
    expect(stop).toMatchObject({
      place: ["when", "filter", "$or"],
      branches: [
        { place: ["when", "filter", "$or", 0, "payload.size"], found: "42" },
        { place: ["when", "filter", "$or", 1, "payload.labels.color"], operator: "together" },
      ],
    });
  });
});

describe("contradictions", () => {
  test.each([
    [{ "payload.size": [{ numeric: [">", 10, "<", 5] }] }, "no value is a number > 10 and < 5"],
    [{ "payload.size": [{ numeric: [">", 10, "<=", 10] }] }, "no value is a number > 10 and <= 10"],
    [{ source: "linear" }, 'nothing is both "github" and "linear"'],
    [
      { type: [{ prefix: "actor." }] },
      'nothing is both "resource.changed" and text that begins with "actor."',
    ],
    [
      { "payload.a": "x", "payload.a.b": "y" },
      "payload.a is a value, so there can be no payload.a.b",
    ],
    [
      { "payload.a": ["x"], $or: [{ "payload.a": ["y"] }, { "payload.a": [{ exists: false }] }] },
      "none of its branches can hold",
    ],
  ])("%j: %s", (filter, message) => {
    const found = contradictions(route(filter)).filter(({ branch }) => !branch);
    expect(found.map((one) => one.message)).toEqual([message]);
  });

  test.each([
    { "payload.a": ["x", "y"], $or: [{ "payload.a": ["y"] }, { "payload.b": [1] }] },
    { "payload.a": ["x", { exists: false }], "payload.a.b": ["y", { exists: false }] },
    { "payload.a.0": ["x"], "payload.a": ["x"] },
    { "payload.size": [{ numeric: [">=", 10, "<=", 10] }], source: [{ wildcard: "g*b" }] },
    { "payload.a": [{ prefix: "ab" }], $or: [{ "payload.a": [{ prefix: "a" }] }, { id: "x" }] },
  ])("%j: none", (filter) => {
    expect(contradictions(route(filter))).toEqual([]);
  });
});
