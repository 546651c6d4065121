import { type OrgLoopEvent, type TransformContext, WrittenNumber } from "@orgloop/sdk";
import { describe, expect, test } from "vitest";
import { enrichConfig } from "./config.ts";
import { enrichTransform } from "./enrich-transform.ts";

const event: OrgLoopEvent = {
  id: "evt_1",
  timestamp: "2026-11-01T00:00:00.000Z",
  source: "github",
  type: "resource.changed",
  provenance: { platform: "github", author: "octocat" },
  payload: {
    size: 42,
    draft: true,
    text: "42",
    pull: { title: "T" },
    tags: ["a"],
    nothing: null,
    "dotted.key": "x",
    id: new WrittenNumber("12345678901234567890"),
  },
  trace_id: "trc_1",
};
const context: TransformContext = { route: "r", actor: "a", signal: new AbortController().signal };
const enrich = (config: Record<string, unknown>) =>
  enrichTransform(enrichConfig.parse(config)).execute(event, context);

describe("enrich", () => {
  test("set, then copy, then compute; the event itself stays as it was", async () => {
    const before = { ...event, payload: { ...event.payload } };
    const enriched = await enrich({
      compute: { "payload.big": "payload.limit <= 42" },
      copy: { "payload.by": "provenance.author", "payload.limit": "payload.max" },
      set: { "payload.max": 40, "payload.pull.state": "open", "payload.tags.1": "b" },
    });
    expect(enriched?.payload).toEqual({
      ...before.payload,
      max: 40,
      limit: 40,
      by: "octocat",
      big: true,
      pull: { title: "T", state: "open" },
      tags: ["a", "b"],
    });
    expect(event).toEqual(before);
  });

  test("what is no object on the way becomes one; a missing source is left out", async () => {
    const enriched = await enrich({
      set: { "payload.text.deep": 1, "payload.nothing.deep": 2, "extra.x": [] },
      copy: { "payload.none": "payload.missing" },
    });
    expect(enriched).toMatchObject({
      extra: { x: [] },
      payload: { text: { deep: 1 }, nothing: { deep: 2 } },
    });
    expect(enriched?.payload).not.toHaveProperty("none");
  });

  test.each([
    ["payload.size === 42", true],
    ["payload.id === '12345678901234567890'", true],
    ["payload.id > 12345678901234567000", false],
    ["payload.id >= 12345678901234567000", true],
    ["payload.dotted\\.key === x", true],
    ["payload.size === '42'", true],
    ["payload.text === 42", true],
    ["payload.size !== 42", false],
    ["payload.draft === true", true],
    ["provenance.author === octocat", true],
    ['provenance.author !== "octocat"', false],
    ["payload.size > 41.5", true],
    ["payload.size>=43", false],
    ["payload.size < 1e3", true],
    ["payload.text < 100", false],
    ["payload.missing > 1", false],
    ["payload.missing !== x", true],
  ])("compute %s → %s", async (expression, expected) => {
    const enriched = await enrich({ compute: { "payload.result": expression } });
    expect(enriched?.payload.result).toBe(expected);
  });

  test.each([
    { set: { "payload.__proto__.polluted": 1 } },
    { set: { "constructor.prototype.polluted": 1 } },
    { copy: { "payload.x": "payload.__proto__" } },
    { compute: { "payload.x": "payload.size = 1" } },
    { compute: { "payload.x": "process.exit()" } },
  ])("%j is a configuration error", (config) => {
    expect(enrichConfig.safeParse(config).success).toBe(false);
  });
});
