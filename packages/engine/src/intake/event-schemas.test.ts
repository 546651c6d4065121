import { parseJson } from "@orgloop/sdk";
import { describe, expect, test } from "vitest";
import { compileSchema, eventSchemas } from "./event-schemas.ts";

/** What is wrong with a schema, each at its place. */
function problemsOf(schema: unknown): unknown {
  try {
    compileSchema(schema);
    return [];
  } catch (error) {
    return (error as { problems: { path: unknown; message: string }[] }).problems;
  }
}

const check = (schema: unknown, payload: unknown, provenance = { platform_event: "opened" }) =>
  eventSchemas([
    { id: "s", schemas: { opened: { file: "s.json", text: JSON.stringify(schema) } } },
  ])({
    source: "s",
    type: "resource.changed",
    provenance: { platform: "test", ...provenance },
    payload: payload as Record<string, unknown>,
  });

describe("what does not fit is told with the field at fault", () => {
  test.each([
    [{ properties: { n: { type: "integer" } } }, { n: "1" }, "payload.n must be integer (s.json)"],
    [{ required: ["n"] }, {}, "payload.n is missing (s.json)"],
    [
      { properties: { a: { items: { required: ["b c"] } } } },
      { a: [{ "b c": 1 }, {}] },
      'payload.a[1]["b c"] is missing (s.json)',
    ],
    [{ additionalProperties: false }, { x: 1 }, "payload.x is not expected (s.json)"],
    [
      { properties: { k: { enum: ["a", 1] } } },
      { k: 2 },
      'payload.k must be one of "a",1 (s.json)',
    ],
    [{ properties: { k: { const: "a" } } }, { k: 2 }, 'payload.k must be "a" (s.json)'],
    [
      { properties: { k: { pattern: "^a+$" } } },
      { k: "b" },
      'payload.k must match pattern "^a+$" (s.json)',
    ],
    [
      { properties: { k: { uniqueItems: true } } },
      { k: [{ a: 1, b: 2 }, 3, { b: 2, a: 1 }] },
      "payload.k must not have two items that are the same (s.json)",
    ],
    [
      { properties: { at: { format: "date-time" } } },
      { at: "yesterday" },
      'payload.at must match format "date-time" (s.json)',
    ],
  ])("%j, %j", (schema, payload, expected) => {
    expect(check(schema, payload)).toBe(expected);
  });
});

test("a schema is found by the platform's event, else by the type", () => {
  const text = JSON.stringify({ required: ["n"] });
  const schemas = {
    opened: { file: "opened.json", text },
    "resource.changed": { file: "changed.json", text },
  };
  const checked = eventSchemas([{ id: "s", schemas }]);
  const event = { source: "s", type: "resource.changed", payload: {} } as const;
  const of = (platform_event?: string, source = "s") =>
    checked({
      ...event,
      source,
      provenance: { platform: "p", ...(platform_event !== undefined && { platform_event }) },
    });
  expect(of("opened")).toMatch("opened.json");
  expect(of("closed")).toMatch("changed.json");
  expect(of()).toMatch("changed.json");
  expect(of("constructor")).toMatch("changed.json");
  expect(of("opened", "other")).toBeNull();
});

test("a number of more digits than a double has is an integer", () => {
  const schema = { properties: { id: { type: "integer" } } };
  expect(check(schema, parseJson('{ "id": 12345678901234567890 }'))).toBeNull();
  expect(
    check({ properties: { id: { type: "object" } } }, parseJson('{ "id": 12345678901234567890 }')),
  ).toBe("payload.id must be object (s.json)");
});

test("references lead into the schema itself, also by its own $id", () => {
  const schema = {
    $id: "https://example.test/root.json",
    $defs: { n: { $id: "n.json", type: "integer" }, m: { type: "string" } },
    properties: { n: { $ref: "n.json" }, m: { $ref: "#/$defs/m" } },
  };
  expect(check(schema, { n: 1, m: "a" })).toBeNull();
  expect(check(schema, { n: "1" })).toBe("payload.n must be integer (s.json)");
});

describe("a schema that is wrong is told at its place", () => {
  test.each([
    [[], [], /an object, true or false/],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, ["$schema"], /draft 2020-12/],
    [{ properties: { a: { type: "strnig" } } }, ["properties", "a", "type"], /no JSON Schema/],
    [{ properties: { a: { requird: [] } } }, ["properties", "a", "requird"], /unknown keyword/],
    [{ properties: { a: { format: "dat" } } }, ["properties", "a", "format"], /unknown format/],
    [{ properties: { a: { $ref: "#/x" } } }, ["properties", "a", "$ref"], /can't resolve/],
    [
      { items: { $ref: "https://example.test/a.json" } },
      ["items", "$ref"],
      /leads out of this file/,
    ],
    [{ items: { $ref: "./other.json#/a" } }, ["items", "$ref"], /leads out of this file/],
    [{ properties: { a: { pattern: "(?=a)" } } }, ["properties", "a", "pattern"], /linear time/],
    [{ patternProperties: { "(a)\\1": {} } }, ["patternProperties", "(a)\\1"], /linear time/],
  ])("%j", (schema, path, message) => {
    expect(problemsOf(schema)).toEqual([{ path, message: expect.stringMatching(message) }]);
  });
});

test("properties may be called as keywords are", () => {
  const schema = {
    properties: { $ref: { type: "string" }, pattern: { type: "string" } },
    default: { $ref: "https://example.test" },
  };
  expect(problemsOf(schema)).toEqual([]);
});

test("draft-07 and 2019-09 are read where $schema names them", () => {
  const tuple = { properties: { a: { items: [{ type: "integer" }] } } };
  expect(
    check({ $schema: "http://json-schema.org/draft-07/schema#", ...tuple }, { a: ["x"] }),
  ).toBe("payload.a[0] must be integer (s.json)");
  expect(problemsOf({ $schema: "https://json-schema.org/draft/2019-09/schema", ...tuple })).toEqual(
    [],
  );
});

test("neither a pattern nor uniqueItems stalls on what somebody sends", () => {
  const schema = {
    properties: {
      text: { pattern: "^(a+)+$" },
      host: { format: "hostname" },
      list: { uniqueItems: true },
    },
  };
  const text = `${"a".repeat(50_000)}!`;
  expect(check(schema, { text })).toMatch("payload.text");
  expect(check(schema, { host: "a.".repeat(50_000) })).toMatch("payload.host");
  const list = Array.from({ length: 20_000 }, (_, n) => ({ n }));
  expect(check(schema, { list })).toBeNull();
});
