import { type OrgLoopEvent, WrittenNumber } from "@orgloop/sdk";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compileFilter } from "./compile-filter.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", author: "Octocat" },
  trace_id: "trc_1",
  payload: {
    kind: "pr-opened",
    size: 42,
    draft: false,
    empty: "",
    nothing: null,
    ip: "10.0.0.77",
    tags: ["bug", "urgent"],
    labels: [
      { name: "p1", color: "red" },
      { name: "infra", color: "blue" },
    ],
    "dotted.key": { "a.b": "x" },
    id: new WrittenNumber("12345678901234567890"),
    nested: { deep: { value: "x" } },
  },
};

const matches = (filter: Record<string, unknown>) => compileFilter(filter)(event);

describe("v1alpha1 equality", () => {
  test.each([
    [{ "payload.kind": "pr-opened" }, true],
    [{ "payload.kind": "pr" }, false],
    [{ "payload.size": 42, "payload.draft": false }, true],
    [{ "payload.size": "42" }, false],
    [{ "payload.nothing": null }, true],
    [{ "payload.missing": null }, false],
    [{ "payload.tags": "bug" }, false],
    [{ "payload.labels.0.name": "p1" }, true],
    [{ source: "github" }, true],
    [{}, true],
  ])("%j → %s", (filter, expected) => {
    expect(matches(filter)).toBe(expected);
  });
});

describe("content operators", () => {
  test.each([
    [{ "payload.kind": ["issue", "pr-opened"] }, true],
    [{ "payload.kind": [{ prefix: "pr-" }] }, true],
    [{ "payload.kind": [{ prefix: { "equals-ignore-case": "PR-" } }] }, true],
    [{ "payload.kind": [{ suffix: "closed" }] }, false],
    [{ "payload.kind": [{ suffix: { "equals-ignore-case": "OPENED" } }] }, true],
    [{ "provenance.author": [{ "equals-ignore-case": "octocat" }] }, true],
    [{ "payload.kind": [{ wildcard: "pr-*ed" }] }, true],
    [{ "payload.kind": [{ "anything-but": ["draft", "pr-opened"] }] }, false],
    [{ "payload.kind": [{ "anything-but": { prefix: "issue" } }] }, true],
    [{ "payload.kind": [{ "anything-but": { suffix: ["opened", "x"] } }] }, false],
    [{ "payload.missing": [{ "anything-but": "x" }] }, false],
    [{ "payload.nothing": [{ "anything-but": { prefix: "n" } }] }, true],
    [{ "payload.size": [{ "anything-but": { suffix: ["2", "x"] } }] }, true],
    [{ "payload.draft": [{ "anything-but": { wildcard: "*" } }] }, true],
    [{ "payload.nothing": [{ "anything-but": { "equals-ignore-case": "null" } }] }, true],
    [{ "payload.missing": [{ "anything-but": { wildcard: "x" } }] }, false],
    [{ "payload.nested": [{ "anything-but": "x" }] }, false],
    [{ "payload.missing": [null] }, false],
    [{ "payload.id": [12345678901234567000] }, true],
    [{ "payload.id": 12345678901234567000 }, true],
    [{ "payload.id": [{ numeric: [">", 12345678901234560000] }] }, true],
    [{ "payload.id": [{ exists: true }] }, true],
    [{ "payload.id.rawJSON": [{ exists: false }] }, true],
    [{ "payload.size": [{ numeric: [">", 10, "<=", 42] }] }, true],
    [{ "payload.size": [{ numeric: ["!=", 42] }] }, false],
    [{ "payload.kind": [{ numeric: [">", 0] }] }, false],
    [{ "payload.ip": [{ cidr: "10.0.0.0/24" }] }, true],
    [{ "payload.ip": [{ cidr: "fd00::/8" }] }, false],
    [{ "payload.kind": [{ exists: true }] }, true],
    [{ "payload.missing": [{ exists: false }] }, true],
    [{ "payload.nested": [{ exists: true }] }, false],
    [{ "payload.nested.deep.value": [{ exists: true }] }, true],
    [{ "payload.tags": ["urgent"] }, true],
    [{ "payload.labels.name": ["infra"] }, true],
    [{ "payload.labels.0.name": ["p1"] }, true],
    [{ "payload.labels.0.name": ["infra"] }, false],
    [{ "payload.labels.0.name": [{ prefix: "p" }] }, true],
    [{ "payload.labels.0.name": [{ exists: true }] }, true],
    [{ "payload.labels.0.name": [{ exists: false }] }, false],
    [{ "payload.labels.2.name": [{ exists: false }] }, true],
    [{ "payload.labels.length": [{ numeric: [">=", 2] }] }, true],
    [{ "payload.labels.0.name": ["p1"], "payload.labels.1.name": ["infra"] }, true],
    [{ "payload.labels.name": ["p1"], "payload.labels.color": ["red"] }, true],
    [{ "payload.labels.name": ["p1"], "payload.labels.color": ["blue"] }, false],
    [{ "payload.labels.name": ["p1"], "payload.labels.color": [{ exists: false }] }, false],
    [{ "payload.labels.name": ["p1"], "payload.labels.by": [{ exists: false }, "x"] }, true],
    [
      {
        "payload.labels.name": ["p1"],
        $or: [{ "payload.labels.color": ["blue"] }, { "payload.size": [1] }],
      },
      false,
    ],
    [
      {
        "payload.labels.name": ["p1"],
        $or: [{ "payload.labels.color": ["red"] }, { "payload.size": [1] }],
      },
      true,
    ],
    [{ "payload.dotted\\.key.a\\.b": ["x"] }, true],
    [{ "payload.dotted\\.key.a\\.b": "x" }, true],
    [{ "payload.dotted.key": [{ exists: false }] }, true],
    [{ "payload.empty": [""] }, true],
    [{ "payload.nothing": [null] }, true],
    [{ $or: [{ "payload.size": 1 }, { "payload.kind": [{ prefix: "pr" }] }] }, true],
    [{ $or: [{ "payload.size": 1 }, { "payload.size": 2 }] }, false],
    [{ "payload.size": 42, $or: [{ source: "x" }, { source: "github" }] }, true],
  ])("%j → %s", (filter, expected) => {
    expect(matches(filter)).toBe(expected);
  });

  test("an address with a zone is in no network, and harms nothing", () => {
    const filter = compileFilter({ "payload.ip": [{ cidr: "fe80::/10" }] });
    expect(filter({ ...event, payload: { ip: "fe80::1%eth0" } })).toBe(true);
    expect(filter({ ...event, payload: { ip: "::ffff:10.0.0.1" } })).toBe(false);
  });

  test.each([
    ["straße", "STRASSE", true],
    ["STRASSE", "straße", false],
    ["é", "É", true],
    ["k", "\u212a", false],
    ["a.b", "AxB", false],
  ])("equals-ignore-case %j on %j → %s, as event-ruler has it", (text, value, expected) => {
    for (const operand of [text, [text]]) {
      const filter = compileFilter({
        "payload.v": [{ "anything-but": { "equals-ignore-case": operand } }],
      });
      expect(filter({ ...event, payload: { v: value } })).toBe(!expected);
    }
    const suffix = compileFilter({ "payload.v": [{ suffix: { "equals-ignore-case": text } }] });
    expect(suffix({ ...event, payload: { v: `${"x".repeat(1_000)}${value}` } })).toBe(expected);
  });

  test.each([
    [{ "payload.kind": [{ prefx: "a" }] }, /prefx/],
    [{ "payload.kind": [{ prefix: "a", suffix: "b" }] }, /one operator/],
    [{ "payload.kind": [{ prefix: 1 }] }, /text/],
    [{ "payload.size": [{ numeric: [">"] }] }, /comparison/],
    [{ "payload.size": [{ numeric: [] }] }, /comparison/],
    [{ "payload.size": [{ numeric: ["constructor", 1] }] }, /one of =/],
    [{ "payload.ip": [{ cidr: "fe80::1%eth0/10" }] }, /a network/],
    [{ "payload.kind": [{ wildcard: "a**b" }] }, /two \* in a row/],
    [{ "payload.kind": [{ "anything-but": { wildcard: "a**b" } }] }, /two \* in a row/],
    [{ "payload.kind": [] }, /at least one/],
    [{ "payload.kind": { prefix: "a" } }, /a list of values and operators/],
    [{ $or: [{ source: "x" }, "y"] }, /mapping of event path/],
    [{ "payload.ip": [{ cidr: "10.0.0.0" }] }, /a network/],
    [{ "payload.ip": [{ cidr: "10.0.0.0/64" }] }, /a network/],
    [{ "payload.kind": [{ exists: "yes" }] }, /exists/],
    [{ "payload.kind": [{ "anything-but": [true] }] }, /anything-but/],
    [{ $or: [{ source: "x" }] }, /at least two/],
    [{ "payload.__proto__.x": 1 }, /not a path/],
    [{ "payload..x": 1 }, /not a path/],
  ])("%j is refused", (filter, message) => {
    expect(() => compileFilter(filter)).toThrow(message);
  });
});

describe("wildcard", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "*", "\\", "."), maxLength: 12 });

  test("agrees with a regular expression on every short text", () => {
    fc.assert(
      fc.property(text, text, (pattern, value) => {
        const source = pattern.replace(/\\([*\\])|\*|[.\\]/g, (found, escaped?: string) => {
          if (escaped !== undefined) return `\\${escaped}`;
          return found === "*" ? ".*" : `\\${found}`;
        });
        fc.pre(!pattern.includes("**"));
        const filter = compileFilter({ "payload.v": [{ wildcard: pattern }] });
        expect(filter({ ...event, payload: { v: value } })).toBe(
          new RegExp(`^${source}$`, "s").test(value),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  test("many stars against a long text stay cheap", () => {
    const filter = compileFilter({ "payload.v": [{ wildcard: `${"*a".repeat(200)}*b` }] });
    expect(filter({ ...event, payload: { v: "a".repeat(20_000) } })).toBe(false);
  });
});
