import type { RouteSpec, SourceSpec } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { routesText } from "./routes-text.ts";

const route = (more: object, delivery: object = {}): RouteSpec =>
  ({
    name: "on-record",
    when: { source: ["inbox"], events: ["resource.changed"] },
    then: { actor: "records" },
    transforms: [],
    delivery: { order: "key", concurrency: 16, ...delivery },
    ...more,
  }) as unknown as RouteSpec;
const SOURCES = [
  { id: "inbox", connector: "@orgloop/connector-webhook", config: {} },
  { id: "hub", connector: "@orgloop/connector-github", config: {} },
] as unknown as SourceSpec[];

test("each route shows by what it is ordered, and how many run at once", () => {
  expect(routesText([route({}), route({ name: "keyed" }, { key: "payload.id" })], SOURCES)).toBe(
    `inbox → on-record → records
  events      resource.changed
  ordered     by source, as there is no key: one at a time

inbox → keyed → records
  events      resource.changed
  ordered     by payload.id: up to 16 at once, those of one value one after the
              other`,
  );
  const when = { source: ["hub"], events: ["resource.changed"] };
  expect(routesText([route({ when })], SOURCES)).toContain("by what the connector gives");
  expect(routesText([route({}, { order: "none" })], SOURCES)).toContain("in no order: up to 16");
  expect(routesText([], [])).toBe("There are no routes.");
});

test("nothing is wider than 80 columns", () => {
  const filter = { "payload.text": ["x".repeat(200), "a b", { prefix: "y".repeat(50) }] };
  const when = { source: Array(20).fill("source-name"), events: ["a", "b"], filter };
  const text = routesText([route({ when })], SOURCES);
  expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(text.replaceAll(/\s+/g, "")).toContain(JSON.stringify(filter).replaceAll(/\s+/g, ""));
});
