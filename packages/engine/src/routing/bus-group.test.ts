import { sampleRoute, testEvent } from "@orgloop/testkit";
import { describe, expect, test } from "vitest";
import { busGrouping, busKey, groupingChanges } from "./bus-group.ts";

const on = (source: string, ...[name, delivery]: Parameters<typeof sampleRoute>) => ({
  ...sampleRoute(name, delivery),
  when: { source: [source], events: ["resource.changed" as const] },
});
const source = { id: "hub", key: "payload.repo" };

describe("a source is grouped by its key", () => {
  test.each([
    ["without a route", []],
    ["where all that its routes need is the order of its key", [on("hub", "a", { order: "key" })]],
    ["where its routes need none", [on("hub", "a", { order: "none", key: "payload.n" })]],
    ["whatever the routes of other sources need", [on("other", "a", { order: "route" })]],
  ])("%s", (_, routes) => {
    expect(busGrouping(source, routes)).toEqual({ by: "key", because: null });
  });
});

describe("a source is one group, because of a route", () => {
  test.each([
    ["that is ordered as a whole", { order: "route" as const }],
    ["that has a key of its own", { order: "key" as const, key: "payload.n" }],
  ])("%s", (_, delivery) => {
    const routes = [on("hub", "a", { order: "none" }), on("hub", "b", delivery)];
    expect(busGrouping(source, routes)).toEqual({ by: "source", because: "b" });
  });
});

test("a key that is a reference is not known to who publishes", () => {
  const open = { id: "hub", key: "$" + "{KEY}" };
  expect(busGrouping(open, [])).toEqual({ by: "source", because: null });
});

test("an event's key is its source's, else its connector's, else none", () => {
  const event = testEvent({ source: "hub", payload: { repo: "a/b" }, ordering_key: "given" });
  expect(busKey(event, source)).toBe("a/b");
  expect(busKey(event, { id: "hub" })).toBe("given");
  expect(busKey(event, { id: "hub", key: "payload.none" })).toBe("given");
  expect(busKey(testEvent({ source: "hub" }), { id: "hub" })).toBeNull();
});

test("what changes of a source's grouping is told, and by which route", () => {
  const before = { sources: [source, { id: "gone" }], routes: [] };
  const routes = [on("hub", "a", { order: "route" }), on("new", "a", { order: "route" })];
  expect(groupingChanges(before, { sources: [source, { id: "new" }], routes })).toEqual([
    { source: "hub", from: "key", to: { by: "source", because: "a" } },
  ]);
  expect(groupingChanges(before, before)).toEqual([]);
});
