import { compileFilter } from "@orgloop/engine";
import type { OrgLoopEvent } from "@orgloop/sdk";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EventRuler, startEventRuler } from "../emulators/event-ruler.ts";
import { anyEvent, anyFilter, nested, repeats, underPayload } from "./event-ruler-cases.ts";

type Pair = readonly [filter: Record<string, unknown>, event: unknown];

let ruler: EventRuler;
beforeAll(async () => {
  ruler = await startEventRuler();
});
afterAll(() => ruler.stop());

const ours = ([filter, payload]: Pair) =>
  compileFilter(underPayload(filter))({ payload } as OrgLoopEvent);

const theirs = (pairs: readonly Pair[]) =>
  ruler.answers(
    pairs.map(
      ([filter, event]) => [JSON.stringify(nested(filter)), JSON.stringify(event)] as const,
    ),
  );

/** A wildcard in one list with `equals-ignore-case`: the quirk below. */
function joins(filter: unknown): boolean {
  const written = JSON.stringify(filter);
  return written.includes('"wildcard"') && written.includes('"equals-ignore-case"');
}

test("EventBridge's operators match what event-ruler matches, in its own JVM", async () => {
  const made = fc.sample(fc.tuple(anyFilter, anyEvent), { numRuns: 12_000 });
  const pairs = made.filter(
    ([filter]) => nested(filter) !== undefined && !repeats(filter) && !joins(filter),
  );
  const answers = await theirs(pairs);
  const different = pairs.filter((pair, at) => answers[at] !== null && ours(pair) !== answers[at]);
  expect(different.map((pair) => JSON.stringify(pair))).toEqual([]);
  expect(answers.filter((answer) => answer === true).length).toBeGreaterThan(300);
  expect(answers.filter((answer) => answer === false).length).toBeGreaterThan(3_000);
});

/** What event-ruler 2.1.0 answers (null: it does not take the pattern), and what we do. */
const QUIRKS: readonly (readonly [what: string, ...Pair, theirs: boolean | null, ours: boolean])[] =
  [
    [
      "a branch of $or replaces what stands beside it under the same key; here both must hold",
      { a: ["x"], $or: [{ a: ["y"] }, { b: [1] }] },
      { a: "y" },
      true,
      false,
    ],
    [
      "a wildcard beside equals-ignore-case may match what neither does; here one must",
      { a: [{ wildcard: "*y" }, { "equals-ignore-case": "y" }] },
      { a: "x" },
      true,
      false,
    ],
    [
      "a dot in an event's key is nesting; here it is part of the key",
      { "a.b": [1] },
      { "a.b": 1 },
      true,
      false,
    ],
    ["numeric knows no !=; here it does", { a: [{ numeric: ["!=", 1] }] }, { a: 2 }, null, true],
    [
      "anything-but takes texts or numbers; here also both in one list",
      { a: [{ "anything-but": ["x", 1] }] },
      { a: 2 },
      null,
      true,
    ],
    [
      "a backslash escapes only * and itself; here it else stands for itself",
      { a: [{ wildcard: "x\\y*" }] },
      { a: "x\\yz" },
      null,
      true,
    ],
    ["a value is a list; here a scalar is equality", { a: "x" }, { a: "x" }, null, true],
  ];

describe("where event-ruler answers otherwise", () => {
  test.each(QUIRKS)("%s", async (_, filter, event, expected, answer) => {
    expect(await theirs([[filter, event]])).toEqual([expected]);
    expect(ours([filter, event])).toBe(answer);
  });
});
