import { bodyHash, reusedId } from "@orgloop/engine";
import { event, plainId, route, type Scenario, sent } from "./scenario.ts";

const NO_LETTERS: readonly string[] = [];
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

const other = { n: 2 };
const otherId = plainId(reusedId("evt_e1", bodyHash(other)));

/** What a source sends again (`docs/configuration.md`, Repeats). */
export const REPEATS: readonly Scenario[] = [
  {
    name: "repeats: what was published is not routed again, within 24 hours, on any route",
    routes: [route("a"), route("b")],
    steps: [
      { atMs: 0, send: [sent("e1"), sent("e2")] },
      { atMs: 1_000, send: [sent("e1")] },
      { atMs: 23 * HOUR_MS, send: [sent("e1"), sent("e3")] },
      { atMs: 25 * HOUR_MS, send: [sent("e1")] },
    ],
    expect: {
      lanes: { "a k": "e1 e2 e3 e1", "b k": "e1 e2 e3 e1", repeats: "e1 e1" },
      letters: NO_LETTERS,
    },
  },
  {
    name: "repeats: the source's own window, which runs from the first and is not prolonged",
    routes: [route("a")],
    source: { repeat_window: "1h" },
    steps: [
      { atMs: 0, send: [sent("e1")] },
      { atMs: 40 * MINUTE_MS, send: [sent("e1")] },
      { atMs: 80 * MINUTE_MS, send: [sent("e1")] },
    ],
    expect: { lanes: { "a k": "e1 e1", repeats: "e1" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: an id that is used again for another body is another event",
    routes: [route("a")],
    steps: [
      { atMs: 0, send: [sent("e1", "k", { n: 1 })] },
      { atMs: 1_000, send: [sent("e1", "k", other)] },
      { atMs: 2_000, send: [sent("e1", "k", other)] },
      { atMs: 3_000, send: [sent("e1", "k", { n: 1 })] },
    ],
    expect: {
      lanes: { "a k": `e1 ${otherId}`, reused: otherId, repeats: `${otherId} e1` },
      letters: NO_LETTERS,
    },
  },
  {
    name: "repeats: of several at once one is routed",
    routes: [route("a")],
    steps: [{ atMs: 0, send: [sent("e1")], times: 3 }],
    expect: { lanes: { "a k": "e1", repeats: "e1 e1" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: what no route wanted is routed once one does",
    routes: [route("a"), route("b", {}, { when: { source: ["x"], events: [] } })],
    begins: ["b"],
    steps: [
      { atMs: 0, send: [sent("e1")] },
      { atMs: 1_000, send: [sent("e1")] },
      { atMs: 2_000, restart: true, routes: ["a"] },
      { atMs: 3_000, send: [sent("e1")] },
      { atMs: 4_000, send: [sent("e1")] },
    ],
    expect: { lanes: { "a k": "e1", repeats: "e1" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: known again after a restart, settled or not",
    routes: [route("a")],
    steps: [
      { atMs: 0, send: [sent("e1"), sent("e2")] },
      { atMs: 1_000, restart: true },
      { atMs: 2_000, send: [sent("e1"), sent("e2")] },
    ],
    act: ({ event: id, attempt, atMs }) => {
      if (id === "e2" && attempt === 1 && atMs < 1_000) throw new Error("not yet");
    },
    by: "ends",
    expect: { lanes: { "a k": "e1 e2", repeats: "e1 e2" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: deliver routes it again, behind the first",
    routes: [route("a")],
    source: { repeats: "deliver" },
    steps: [{ atMs: 0, send: [sent("e1")], times: 2 }],
    act: ({ attempt, atMs }) => {
      if (attempt === 1 && atMs < 5_000) throw new Error("not yet");
    },
    expect: { lanes: { "a k": "e1! e1 e1", repeats: "e1" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: neither a replay is one, nor what is injected",
    routes: [route("a")],
    steps: [
      { atMs: 0, send: [sent("e1")] },
      { atMs: 1_000, emit: [event("e1")] },
      { atMs: 2_000, emit: [event("e1")] },
      { atMs: 3_000, replay: "e1" },
      { atMs: 4_000, send: [sent("e1")] },
    ],
    expect: { lanes: { "a k": "e1 e1 e1 e1r1", repeats: "e1" }, letters: NO_LETTERS },
  },
  {
    name: "repeats: an id that nobody gave is never known again",
    routes: [route("a")],
    steps: [
      { atMs: 0, send: [event("e1")] },
      { atMs: 1_000, send: [event("e1")] },
    ],
    expect: { lanes: { "a k": "e1 e1" }, letters: NO_LETTERS },
  },
];
