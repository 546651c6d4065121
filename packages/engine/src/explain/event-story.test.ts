import type { DeadLetterSummary, LogEntry } from "@orgloop/sdk";
import { describe, expect, test } from "vitest";
import { eventStory } from "./event-story.ts";
import { type EventTraces, foundTraces } from "./event-traces.ts";

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString();

const entry = (
  second: number,
  phase: LogEntry["phase"],
  more: Partial<LogEntry> = {},
): LogEntry => ({ timestamp: at(second), phase, event_id: "evt_1", source: "s", ...more });

const on = { route: "r", target: "agent" };

const letter = (more: Partial<DeadLetterSummary> = {}): DeadLetterSummary => ({
  id: "dl_1",
  event_id: "evt_1",
  route: "r",
  actor: "agent",
  reason: "exhausted",
  attempts: 3,
  first_at: at(1),
  last_at: at(9),
  last_error: "HTTP 503",
  ...more,
});

const traces = (more: Partial<EventTraces>): EventTraces => ({
  event: null,
  entries: [],
  letters: [],
  routed: [],
  isUnsettled: false,
  ...more,
});

const story = (more: Partial<EventTraces>) => eventStory("evt_1", traces(more));

describe("how an event ended on a route", () => {
  test("it waits for its next attempt", () => {
    const { state, outcomes } = story({
      isUnsettled: true,
      entries: [
        entry(1, "route.match", on),
        entry(2, "deliver.attempt", { ...on, attempt: 1 }),
        entry(3, "deliver.retry", { ...on, attempt: 1, error: "HTTP 503" }),
      ],
    });
    expect(state).toBe("routed");
    expect(outcomes).toMatchObject([{ state: "waiting", error: "HTTP 503", at: at(3) }]);
  });

  test("a letter whose replay was delivered, and one whose replay is under way", () => {
    const before = [
      entry(1, "route.match", on),
      entry(2, "deliver.failure", { ...on, attempt: 3, result: "exhausted" }),
      entry(2, "deliver.dead_letter", { ...on, attempt: 3, result: "exhausted" }),
    ];
    const again = entry(20, "deliver.attempt", { ...on, attempt: 1, replay: 1 });
    const done = entry(21, "deliver.success", { ...on, attempt: 1, replay: 1 });
    expect(story({ entries: [...before, again, done] }).outcomes).toMatchObject([
      { state: "delivered", attempts: 4, replay: 1, reason: null, letter: null },
    ]);
    expect(story({ entries: [...before, again], letters: [letter()] }).outcomes).toMatchObject([
      { state: "waiting", attempts: 3, replay: 1, letter: "dl_1" },
    ]);
    expect(story({ entries: before, letters: [letter()] }).outcomes).toMatchObject([
      { state: "dead", attempts: 3, replay: 0, reason: "exhausted", letter: "dl_1" },
    ]);
  });

  test("where the log is gone, letters and record tell", () => {
    const { outcomes, timeline, isWhole, state } = story({
      letters: [letter()],
      routed: [{ at: at(5), replay: 0, dropped: ["other"] }],
    });
    expect({ state, isWhole }).toEqual({ state: "routed", isWhole: false });
    expect(outcomes).toMatchObject([
      { route: "other", state: "dropped" },
      { route: "r", state: "dead", attempts: 3 },
    ]);
    expect(timeline.map(({ phase, text }) => [phase, text])).toEqual([
      ["record", "routed; dropped on other"],
      ["letter", "dead letter: exhausted: HTTP 503"],
    ]);
  });
});

test("what became of an event as a whole", () => {
  const whole = { route: null, actor: null };
  const states = [
    story({}),
    story({ isUnsettled: true }),
    story({ entries: [entry(1, "route.no_match")] }),
    story({ routed: [{ at: at(1), replay: 0, dropped: [] }] }),
    story({ letters: [letter({ ...whole, id: "dl_unfit1", reason: "invalid" })] }),
    story({ letters: [letter({ ...whole, reason: "expired" })] }),
    story({ entries: [entry(1, "deliver.dead_letter", { result: "poison" })] }),
  ].map(({ state, reason }) => [state, reason]);
  expect(states).toEqual([
    ["unknown", null],
    ["waiting", null],
    ["no route", null],
    ["routed", null],
    ["unfit", "invalid"],
    ["given up", "expired"],
    ["given up", "poison"],
  ]);
});

test("the timeline has what the breaker and the rate of its route did while it waited", () => {
  const of = (
    second: number,
    phase: LogEntry["phase"],
    more: Partial<LogEntry> = {},
  ): LogEntry => ({
    timestamp: at(second),
    phase,
    ...on,
    ...more,
  });
  const { timeline } = story({
    entries: [
      of(0, "circuit.open", { event_id: "evt_0", metadata: { until: at(3) } }),
      entry(1, "source.emit"),
      entry(2, "route.match", on),
      of(3, "circuit.open", { event_id: "evt_0", metadata: { until: at(5) } }),
      of(4, "rate.limited", { metadata: { waiting: 7 } }),
      of(5, "circuit.open", { event_id: "evt_0", route: "other" }),
      entry(6, "circuit.half_open", on),
      entry(6, "deliver.attempt", { ...on, attempt: 1 }),
      entry(7, "deliver.success", { ...on, attempt: 1, result: "delivered" }),
      entry(7, "circuit.close", on),
      of(9, "circuit.open", { event_id: "evt_9" }),
    ],
  });
  expect(timeline.map(({ text }) => text)).toEqual([
    "taken in",
    "matched",
    `the breaker opened until ${at(5)} (by evt_0)`,
    "the rate limit holds 7 back",
    "let through by the open breaker, to probe",
    "attempt 1",
    "delivered",
    "closed the breaker",
  ]);
});

describe("the beginning of an id", () => {
  const kept = (ids: readonly string[]) => ({
    entries: ids.map((event_id, n) => entry(n, "source.emit", { event_id })),
    lines: [],
    letters: [],
    unsettled: [],
    letter: async () => null,
  });
  test.each([
    ["evt_1", ["evt_1", "evt_12"], ["evt_1"]],
    ["evt_12", ["evt_1", "evt_12"], ["evt_12"]],
    ["evt_1", ["evt_12", "evt_13"], ["evt_12", "evt_13"]],
    ["evt_1", ["evt_123"], ["evt_123"]],
    ["evt_2", ["evt_1"], []],
  ])("%s of %j", async (wanted, ids, expected) => {
    const found = await foundTraces(wanted, kept(ids));
    expect(found.ids).toEqual(expected);
    expect(found.traces === null).toBe(expected.length !== 1);
  });

  test("an event of a letter counts where no transform has made another of it", async () => {
    const event = {
      id: "evt_1",
      timestamp: at(0),
      source: "s",
      type: "resource.changed",
      provenance: { platform: "t" },
      payload: {},
      trace_id: "trc_1",
      replay: 1,
    } as const;
    const whole = { ...letter(), first_error: null, event };
    const read = async (found: object) => {
      const letters = [letter()];
      const of = { ...kept([]), letters, letter: async () => found as never };
      return (await foundTraces("evt_1", of)).traces?.event;
    };
    const { replay: _, ...plain } = event;
    expect(await read({ ...whole, untransformed: true })).toEqual(plain);
    expect(await read({ ...whole, route: null })).toEqual(plain);
    expect(await read(whole)).toBeNull();
  });
});
