import { readFileSync } from "node:fs";
import { compileFilter } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import { expect, test } from "vitest";
import { underPayload } from "./event-ruler-cases.ts";

type Case = readonly [filter: Record<string, unknown>, event: unknown, matches: boolean];

test("lists of values and operators match what EventBridge's own event-ruler matches", () => {
  const file = new URL("../fixtures/event-ruler/cases.jsonl", import.meta.url);
  const lines = readFileSync(file, "utf8").trim().split("\n");
  const cases = lines.map((line) => JSON.parse(line) as Case);
  const different = cases.filter(([filter, payload, matches]) => {
    return compileFilter(underPayload(filter))({ payload } as OrgLoopEvent) !== matches;
  });
  expect(different.map((one) => JSON.stringify(one))).toEqual([]);
  expect(cases.length).toBeGreaterThan(2_000);
});
